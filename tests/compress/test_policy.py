"""When compression pays."""

from __future__ import annotations

import doctest

import pytest

import compress.policy
from compress import Rates, worth

KNOWN = {"room": 2000, "compressing": 0.002, "reading": 0.005, "remote": False}


def test_examples_in_docstrings():
    assert doctest.testmod(compress.policy).failed == 0


@pytest.mark.parametrize(
    ("before", "target", "changes", "compresses", "says"),
    [
        (1000, 500, {}, True, "reading 1000 tokens takes 5.0 s; compressing and reading 500 takes 4.5 s"),
        (1000, 700, {}, False, "takes 5.5 s"),
        (1000, 500, {"compressing": 0.003}, False, "takes 5.5 s"),
        (1000, 1000, {"remote": True}, False, "within"),
        (3000, 1500, {"compressing": 9.0}, True, "2000 that the model reads"),
        (3000, 1500, {"compressing": 9.0, "room": None, "remote": True}, True, "remote"),
        (1000, 500, {"compressing": None}, True, "not measured"),
        (1000, 500, {"reading": None}, True, "not measured"),
    ],
)
def test_the_verdict_and_its_reason(before, target, changes, compresses, says):
    verdict = worth(before, target, **(KNOWN | changes))
    assert verdict.compress == compresses
    assert says in verdict.reason


def test_rates_follow_what_is_measured_and_nothing_measures_nothing():
    rates = Rates()
    rates.add("read", 0, 5.0)
    assert rates.seconds == {}
    for _ in range(30):
        rates.add("read", 10, 1.0)
    rates.add("other", 1, 7.0)
    assert rates.seconds == pytest.approx({"read": 0.1, "other": 7.0})
