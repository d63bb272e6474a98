"""A span of a document names its pages and rows."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.places import MarkedText, Place, places_of
from retrieval.types import Mark

PAGES = [Mark("page", 1, 0, 40), Mark("page", 2, 40, 60)]
ROWS = [Mark("row", 7, 10, 20), Mark("row", 8, 21, 30), Mark("row", 9, 41, 50)]


def test_a_span_over_two_pages_and_three_rows():
    assert places_of([*PAGES, *ROWS], 15, 45) == [Place("page", 1, 2), Place("row", 7, 9)]


def test_touching_is_not_standing_on():
    assert places_of(ROWS, 20, 21) == []


@given(st.lists(st.integers(1, 5), max_size=20), st.integers(0, 60), st.integers(0, 60))
def test_marks_found_are_those_that_overlap(lengths, start, length):
    at, marks = 0, []
    for number, size in enumerate(lengths):
        marks.append(Mark("row", number, at, at + size))
        at += size + number % 2
    end = start + length
    wanted = tuple(mark for mark in marks if mark.start < end and mark.end > start)
    assert MarkedText(marks).within(start, end) == wanted
