"""The choice of a token: greedy, drawn among plausible tokens, and within a nucleus."""

from __future__ import annotations

import pytest
import torch

from context.errors import InvalidContextOption
from context.writing.sampling import LEAST_SHARE, choose
from context.writing.transcript import Writing


def drawn(logits, count=100, **options):
    draw = torch.Generator().manual_seed(0)
    return [choose(logits, draw=draw, **options) for _ in range(count)]


def test_implausible_tokens_are_never_drawn_at_any_temperature():
    # One likely token, one at half of it, and thousands that only together have a share.
    logits = torch.full((2000,), 0.0)
    logits[7], logits[8] = 5.5, 5.5 - 0.693
    for temperature in (0.7, 1.0, 2.0):
        assert set(drawn(logits, temperature=temperature)) == {7, 8}
    assert not set(drawn(logits, temperature=1.0, least_share=0.0)) <= {7, 8}


def test_plausible_tokens_are_drawn_in_proportion():
    logits = torch.log(torch.tensor([0.6, 0.3, 0.1 * LEAST_SHARE]))
    share = drawn(logits, 1000, temperature=1.0).count(0) / 1000
    assert share == pytest.approx(2 / 3, abs=0.05)


def test_a_nucleus_keeps_the_likeliest_tokens():
    logits = torch.log(torch.tensor([0.3, 0.5, 0.2]))
    assert set(drawn(logits, temperature=1.0, top_p=0.5)) == {1}
    assert set(drawn(logits, temperature=1.0, top_p=0.7)) == {0, 1}
    assert set(drawn(logits, temperature=1.0, top_p=1.0)) == {0, 1, 2}
    assert set(drawn(logits, 3, temperature=2.0, top_p=0.0)) == {1}


def test_temperature_0_is_greedy_and_forbidden_tokens_stay_forbidden():
    logits = torch.tensor([1.0, 2.0, float("-inf")])
    assert choose(logits, temperature=0, draw=None) == 1
    assert 2 not in drawn(logits, temperature=2.0)


def test_top_p_is_a_share():
    with pytest.raises(InvalidContextOption):
        Writing(max_tokens=5, top_p=1.5)
