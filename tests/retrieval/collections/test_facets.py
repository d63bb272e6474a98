"""Facets: equal to a slow count of documents, whatever segments and deletions there are."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import Document
from retrieval.collections import facets
from retrieval.collections.facets import Counted
from retrieval.errors import InvalidField
from retrieval.segments.columns import Columns, kind_of
from tests.support.speeds import examples

scalars = st.one_of(st.integers(0, 2), st.sampled_from([0.5, 1.0, "a", "b", "1"]), st.booleans(), st.none())
documents = st.lists(
    st.tuples(
        st.booleans(),
        st.dictionaries(st.sampled_from(["x", "y"]), st.one_of(scalars, st.lists(scalars, max_size=3))),
    ),
    max_size=6,
)


def slow(documents, field):
    """The values of the chosen documents, each once a document."""
    held = [fields.get(field) for chosen, fields in documents if chosen]
    values = [value if isinstance(value, list) else [value] for value in held]
    kept = [{(kind_of(one), one) for one in each if one is not None} for each in values]
    return Counter(one for each in kept for one in each), sum(map(bool, kept))


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(documents, max_size=3))
def test_counts_are_those_of_the_documents(segments):
    counted = Counted("x")
    for segment in segments:
        columns = Columns([str(at) for at in range(len(segment))], [fields for _, fields in segment])
        chosen = np.array([chosen for chosen, _ in segment], bool)
        counted.add(columns, None if chosen.all() else chosen)
    values, having = slow([one for segment in segments for one in segment], "x")
    assert counted.values == values
    assert counted.documents == having
    first = counted.first(2)
    assert [count for _, count in first] == sorted(values.values(), reverse=True)[:2]
    assert counted.first(100)[:2] == first
    assert sorted(counted.numbers) == sorted(value for kind, value in values if kind == "number")


def test_segments_deletions_and_filters_are_counted_right(make):
    collection = make()
    collection.add(
        [Document(f"a{at}", "otter", metadata={"n": at % 3, "even": at % 2 == 0}) for at in range(7)]
    )
    collection.add([Document("b", "otter", metadata={"n": 1}), Document("a0", "otter", metadata={"n": 2})])
    collection.delete(["a1"])
    with collection.snapshot() as snapshot:
        for where, expected in [
            (None, {0: 2, 1: 2, 2: 3}),
            ({"even": True}, {0: 1, 1: 1, 2: 1}),
            ({"n": {"$gt": 0}}, {1: 2, 2: 3}),
            ({"n": 7}, {}),
        ]:
            counted = snapshot.counted("n", snapshot.documents(where))
            assert {value: count for (_, value), count in counted.values.items()} == expected
            assert counted.documents == sum(expected.values())


def test_a_field_with_too_many_values_is_refused(monkeypatch):
    monkeypatch.setattr(facets, "MOST_VALUES", 3)
    columns = Columns(list("abcd"), [{}] * 4)
    with pytest.raises(InvalidField, match="more than 3"):
        Counted("document_id").add(columns, None)
    few = Counted("document_id")
    few.add(columns, np.array([True, False, True, True]))
    assert few.documents == 3
    other = Counted("document_id")
    other.add(Columns(["e"], [{}]), None)
    with pytest.raises(InvalidField, match="filter"):
        few.merge(other)
