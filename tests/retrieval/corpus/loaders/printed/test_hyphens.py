import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.loaders.printed.hyphens import Hyphens

_WORDS = st.sampled_from(["in", "well", "pres", "critical", "sure", "und", "to"])


@pytest.mark.parametrize(
    ("text", "line", "joined"),
    [
        ("the pres-", "sure of it", "the pressure of it"),
        ("a self-", "made tool", "a self-made tool"),
        ("state-of-the-", "art valves", "state-of-the-art valves"),
        ("the X-", "Ray plates", "the X-Ray plates"),
        ("from 2019-", "2021 on", "from 2019-2021 on"),
        ("a 3-", "phase motor", "a 3-phase motor"),
        ("Vor-", "und Nachteile", "Vor- und Nachteile"),
        ("short- and long-", "or mid-term", "short- and long- or mid-term"),
        ("pres\u00ad", "sure", "pressure"),
        ("Straßen\u2010", "bahn", "Straßenbahn"),
    ],
)
def test_a_word_at_a_line_end_is_joined_as_it_is_written(text, line, joined):
    assert Hyphens().joined(text, line) == joined


@pytest.mark.parametrize(
    ("elsewhere", "joined"),
    [
        ("a well-read and time-critical task", "a time-critical one"),
        ("the timecritical path", "a timecritical one"),
        ("timecritical, timecritical, time-critical", "a timecritical one"),
    ],
)
def test_the_form_that_the_document_has_elsewhere_decides(elsewhere, joined):
    assert Hyphens([elsewhere, "a time-"]).joined("a time-", "critical one") == joined


@given(_WORDS, _WORDS)
def test_no_letter_is_lost_or_added(left, right):
    joined = Hyphens().joined(f"the {left}-", f"{right} end")
    assert joined.replace("-", "").replace(" ", "") == f"the{left}{right}end"
