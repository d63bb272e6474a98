"""A power stays a power, and a note's mark never becomes a part of a number or a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus.cleaning.raised import lowered_text, raised_text


@pytest.mark.parametrize(
    ("before", "raised", "written"),
    [
        ("10", "9", "^9"),
        ("10", "-6", "^-6"),
        ("10", "−6", "^−6"),
        ("2", "64", "^64"),
        ("x", "2", "^2"),
        ("80 m", "2", "^2"),
        ("12 km", "3", "^3"),
        ("E = mc", "2", "^2"),
        ("(a + b)", "2", "^2"),
        ("x", "n+1", "^(n+1)"),
        ("Ca", "2+", "^2+"),
        ("in 1999", "2", " [2]"),
        ("1,250", "1", " [1]"),
        ("€40", "2", " [2]"),
        ("95%", "3", " [3]"),
        ("the fee", "1", " [1]"),
        ("(see above)", "4", " [4]"),
        ("Umsatz", "2", " [2]"),
        ("增长", "3", " [3]"),
        ("выручка", "1,2", " [1,2]"),
        ("Net", "*", " [*]"),
        ("word", "[7]", " [7]"),
        ("5", "th", "th"),
        ("1", "er", "er"),
        ("3", "a", "a"),
        ("M", "me", "me"),
        ("Acme", "TM", "TM"),
    ],
)
def test_superscripts(before, raised, written):
    assert raised_text(before, raised) == written


def test_a_link_and_a_note_of_the_document_decide():
    assert raised_text("10", "2", linked=True) == " [2]"
    assert raised_text("25", "3") == "^3"
    assert raised_text("25", "3", notes={"3"}) == " [3]"


@given(st.integers(1500, 99_999), st.integers(1, 99))
def test_a_long_number_is_never_changed(number, mark):
    assert raised_text(str(number), str(mark)) == f" [{mark}]"


def test_subscripts():
    assert ["H" + lowered_text("H", "2") + "O", "log" + lowered_text("log", "10")] == ["H2O", "log10"]
    assert lowered_text("1010", "2") == "_2"
