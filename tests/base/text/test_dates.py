"""Dates: the forms of one day find each other, and no other day."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text.dates import MONTHS, in_numbers, in_words
from base.text.terms import analysed, asked_terms, placed_terms
from tests.support.speeds import examples

DAYS = st.dates(date(1000, 1, 1), date(2999, 12, 31))
FORMS = [
    "{0:%Y-%m-%d}",
    "{0.year}/{0.month}/{0.day}",
    "{0:%Y.%m.%d}",
    "{0:%Y%m%d}",
    "{0:%d.%m.%Y}",
    "{0.day}.{0.month}.{0.year}",
    "{0:%d/%m/%Y}",
    "{0.month}/{0.day}/{0.year}",
    "{0.day} {0:%B} {0.year}",
    "{0:%d}-{0:%b}-{0.year}",
    "{0.day}th of {0:%B}, {0.year}",
    "{0:%B} {0.day}, {0.year}",
    "{0:%b}. {0.day}th {0.year}",
    "{0.day}. {0:%B} {0.year}",
    "{0:%Y-%m-%d}T12:30:00Z",
]


def found(text):
    return {term for term, _, _ in [*in_numbers(text.lower()), *in_words(text.lower())]}


def shared(question, text):
    asked = {term for term, _, _ in asked_terms(question).spellings + asked_terms(question).words}
    return asked & {term for terms in analysed(text) for term in terms}


@settings(max_examples=examples(300))
@given(DAYS, st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_a_day_is_found_however_it_is_written(day, one, other):
    assert f"{day:%Y%m%d}" in shared(f"What was on {one.format(day)}?", f"Seen on {other.format(day)}.")


@settings(max_examples=examples(300))
@given(DAYS, st.integers(1, 400), st.sampled_from(FORMS[:6]), st.sampled_from(FORMS[8:]))
def test_another_day_is_not(day, apart, one, other):
    try:
        another = day + timedelta(days=apart)
    except OverflowError:
        return
    common = shared(f"on {one.format(day)}", f"of {other.format(another)}.")
    assert not {term for term in common if len(term) >= 7 and term.isdecimal()}


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("3 May", {"--05-03"}),
        ("May 3rd", {"--05-03"}),
        ("the 3rd of May", {"--05-03"}),
        ("2026-05-03", {"20260503", "--05-03"}),
        ("3/5/2026", {"20260503", "20260305", "--05-03", "--03-05"}),
        ("13/5/2026", {"20260513", "--05-13"}),
        ("03.05.2026", {"20260503", "--05-03"}),
        ("May 2026", {"202605"}),
        ("05/2026", {"202605"}),
        ("3. März 2026", {"20260303", "--03-03"}),
        ("le 1er août 2026", {"20260801", "--08-01"}),
        ("3 de mayo de 2026", {"20260503", "--05-03"}),
        ("29 February", {"--02-29"}),
    ],
)
def test_what_a_date_is_spelled(text, spelled):
    assert found(text) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "31 February 2026",
        "29.02.2026",
        "version 3.5.2026.1",
        "10.3.2026.4",
        "32 May",
        "2026-13-01",
        "0 May",
        "3 maybe",
        "3.5 may",
        "section 2/3/4",
        "1/2026/3",
        "",
    ],
)
def test_what_is_no_date_has_no_spelling(text):
    assert found(text) == set()


def test_the_characters_are_those_of_the_date():
    text = "From ３ Ma\u00ady 2026 on, Nov. 4th too"
    places = {term: text[start:end] for term, start, end in placed_terms(text).spellings}
    assert places["20260503"] == "３ Ma\u00ady 2026"
    assert places["--11-04"] == "Nov. 4th"


def test_names_are_of_twelve_months():
    assert set(MONTHS.values()) == set(range(1, 13))


def test_long_texts_of_numbers_take_linear_time():
    for text in ("1 " * 200_000, "may " * 100_000, "3 may " * 50_000, "1/" * 200_000, "9" * 400_000):
        assert len(list(in_words(text)) + list(in_numbers(text))) <= 50_000
