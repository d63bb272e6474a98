"""An answer ends before the first stop text, however the pieces are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from context import StopFilter
from tests.support.speeds import examples


def run(text, stops, cuts):
    until = StopFilter(stops)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    said = "".join(until.feed(text[start:end]) for start, end in pairwise(edges))
    return said + until.finish(), until.found


@given(
    st.text("ab.", max_size=30),
    st.lists(st.text("ab.", min_size=1, max_size=4), max_size=3),
    st.lists(st.integers(0, 30), max_size=6),
)
@settings(max_examples=examples(200))
def test_it_ends_where_the_first_stop_text_begins(text, stops, cuts):
    places = [text.find(stop) for stop in stops if stop in text]
    # While it is written, the stop text that is complete first ends it; among those, the earliest.
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    said, found = run(text, stops, cuts)
    assert found == bool(places)
    if not places:
        assert said == text
    else:
        assert text.startswith(said)
        assert len(said) <= min(ends)
        assert not any(stop in said for stop in stops)


def test_nothing_is_held_without_reason():
    until = StopFilter(["###"])
    assert until.feed("Two ## and #") == "Two ## and "
    assert until.feed("one") == "#one"
    assert until.finish() == ""
