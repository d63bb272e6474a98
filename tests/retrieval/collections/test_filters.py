"""Filters: equal to a slow reading of each document; what cannot be meant is refused."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.collections.filters import check, evaluate, parse
from retrieval.errors import InvalidFilter
from retrieval.segments.columns import Columns, kind_of
from tests.support.speeds import examples

BIG = 2**53
numbers = st.one_of(
    st.integers(-3, 3), st.sampled_from([0.5, 2.0, -0.0, float("inf"), BIG, BIG + 1, float(BIG), 10**400])
)
strings = st.sampled_from(["", "a", "b", "ü", "2024-01-31", "2024-02"])
scalars = st.one_of(numbers, strings, st.booleans())
values = st.one_of(scalars, st.none(), st.lists(st.one_of(scalars, st.none()), max_size=3))
metadata = st.lists(st.dictionaries(st.sampled_from(["x", "y"]), values), max_size=6)
names = st.sampled_from(["x", "y"])


def conditions():
    orderable = st.one_of(numbers, strings)
    leaf = st.one_of(
        st.one_of(scalars, st.none()),
        st.builds(lambda op, v: {op: v}, st.sampled_from(["$eq", "$ne"]), st.one_of(scalars, st.none())),
        st.builds(lambda op, v: {op: v}, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), orderable),
        st.builds(
            lambda op, v: {op: v},
            st.sampled_from(["$in", "$nin"]),
            st.lists(st.one_of(scalars, st.none()), max_size=3),
        ),
        st.builds(lambda v: {"$exists": v}, st.booleans()),
    )
    leaf = st.one_of(leaf, leaf.filter(lambda one: isinstance(one, dict)).map(lambda one: {"$not": one}))
    field = st.builds(lambda name, condition: {name: condition}, names, leaf)
    return st.recursive(
        field,
        lambda inner: st.one_of(
            st.builds(
                lambda op, parts: {op: parts},
                st.sampled_from(["$and", "$or"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
            st.builds(lambda part: {"$not": part}, inner),
        ),
        max_leaves=5,
    )


def same_kind(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool)
    return isinstance(a, (int, float)) == isinstance(b, (int, float))


def slow(raw, document):
    """The meaning of a filter, one document at a time."""
    outcomes = []
    for key, value in raw.items():
        if key == "$and":
            outcomes.append(all(slow(part, document) for part in value))
        elif key == "$or":
            outcomes.append(any(slow(part, document) for part in value))
        elif key == "$not":
            outcomes.append(not slow(value, document))
        else:
            outcomes.append(slow_field(key, value, document))
    return all(outcomes)


def slow_field(field, raw, document):
    if not isinstance(raw, dict):
        raw = {"$eq": raw}
    held = document.get(field)
    held = held if isinstance(held, list) else [held]
    outcomes = []
    for op, value in raw.items():
        if op == "$not":
            outcomes.append(not slow_field(field, value, document))
        elif op == "$exists":
            outcomes.append((field in document) == value)
        elif op in ("$eq", "$ne", "$in", "$nin"):
            wanted = [value] if op in ("$eq", "$ne") else value
            match = any(
                (one is None and w is None)
                or (one is not None and w is not None and same_kind(one, w) and one == w)
                for one in held
                for w in wanted
            )
            outcomes.append(match == (op in ("$eq", "$in")))
        else:
            compare = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}[op]
            outcomes.append(
                any(
                    one is not None
                    and not isinstance(one, bool)
                    and same_kind(one, value)
                    and compare(one, value)
                    for one in held
                )
            )
    return all(outcomes)


@settings(max_examples=examples(300))
@given(metadata, conditions())
def test_columns_mean_what_documents_say(documents, raw):
    columns = Columns([str(at) for at in range(len(documents))], documents)
    assert evaluate(parse(raw), columns).tolist() == [slow(raw, one) for one in documents]


@given(metadata, st.data())
def test_kinds_are_those_of_live_documents(documents, data):
    live = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents))), bool
    )
    wanted = {"document_id": {"string"}} if live.any() else {}
    for document, is_live in zip(documents, live, strict=True):
        for field, value in document.items() if is_live else ():
            kinds = {kind_of(one) for one in (value if isinstance(value, list) else [value])}
            wanted.setdefault(field, set()).update(kinds)
    columns = Columns([str(at) for at in range(len(documents))], documents)
    assert columns.kinds(live) == wanted
    assert columns.kinds(None) == columns.kinds(np.ones(len(documents), bool))


DOCUMENTS = [
    {"year": 2024, "team": "finance", "tags": ["a", "b"]},
    {"year": 2025.5, "draft": True},
    {"year": None},
]
COLUMNS = Columns(["one", "two", "three"], DOCUMENTS)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({}, [1, 1, 1]),
        ({"year": 2024}, [1, 0, 0]),
        ({"year": {"$gte": 2024, "$lt": 2025}}, [1, 0, 0]),
        ({"tags": "a"}, [1, 0, 0]),
        ({"tags": {"$gt": "A", "$lt": "b"}}, [1, 0, 0]),
        ({"team": None}, [0, 1, 1]),
        ({"draft": True}, [0, 1, 0]),
        ({"document_id": {"$in": ["one", "three"]}}, [1, 0, 1]),
        ({"team": {"$ne": "finance"}}, [0, 1, 1]),
        ({"nowhere": {"$exists": False}}, [1, 1, 1]),
        ({"year": {"$not": 2024}}, [0, 1, 1]),
        ({"year": {"$in": []}}, [0, 0, 0]),
        ({"year": {"$in": [None, 2024.0]}}, [1, 0, 1]),
        ({"year": 2024, "team": "finance", "$not": {"tags": "c"}}, [1, 0, 0]),
        ({"$not": {}}, [0, 0, 0]),
    ],
)
def test_by_hand(raw, wanted):
    condition = parse(raw)
    check(condition, COLUMNS.kinds())
    assert evaluate(condition, COLUMNS).tolist() == [bool(one) for one in wanted]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ([], "object"),
        ("year", "object"),
        ({"$xor": []}, r"\$and, \$or, \$not"),
        ({"year": {"$regex": "x"}}, r"\$gte"),
        ({"year": {}}, "no condition"),
        ({"$and": []}, "at least one"),
        ({"$or": "x"}, "list"),
        ({"year": {"$in": "2024"}}, "list"),
        ({"year": {"$gt": True}}, "numbers or strings"),
        ({"year": {"$exists": 1}}, "true or false"),
        ({"year": {"$eq": {"a": 1}}}, "object"),
        ({"year": [2024]}, "list"),
        ({"year": float("nan")}, "NaN"),
        ({"year": {"$in": [[1]]}}, "list"),
        ({"year": {1, 2}}, "that"),
    ],
)
def test_what_is_no_filter_is_refused(raw, says):
    with pytest.raises(InvalidFilter, match=says):
        parse(raw)


def test_size_and_depth_are_bounded():
    with pytest.raises(InvalidFilter, match="conditions"):
        parse({"$or": [{"year": at} for at in range(501)]})
    for deepen in (lambda one: {"$not": one}, lambda one: {"$and": [one]}):
        deep = {"year": 1}
        for _ in range(30):
            deep = deepen(deep)
        with pytest.raises(InvalidFilter, match="deep"):
            parse(deep)
    deep = {"$eq": 1}
    for _ in range(30):
        deep = {"$not": deep}
    with pytest.raises(InvalidFilter, match="deep"):
        parse({"year": deep})
    with pytest.raises(InvalidFilter, match="conditions"):
        parse({"$or": [{}] * 501})
    with pytest.raises(InvalidFilter, match="values"):
        parse({"$or": [{"year": {"$in": [0] * 5001}}, {"year": {"$nin": [0] * 5001}}]})
    parse({"year": {"$in": list(range(10_000))}})


@pytest.mark.parametrize(
    "raw", [{"x" * 10_000: 1}, {"team": {"$" + "x" * 10_000: 1}}, {"year": "x" * 10_000}]
)
def test_messages_are_short_whatever_they_are_about(raw):
    with pytest.raises(InvalidFilter) as raised:
        check(parse(raw), COLUMNS.kinds())
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"yaer": 2024}, "year"),
        ({"year": "2024"}, "number"),
        ({"team": {"$gt": 3}}, "string"),
        ({"$not": {"draft": 1}}, "bool"),
        ({"year": {"$in": [2024, "x"]}}, "number"),
    ],
)
def test_what_no_document_can_match_is_refused(raw, says):
    with pytest.raises(InvalidFilter, match=says) as raised:
        check(parse(raw), COLUMNS.kinds())
    assert raised.value.field
