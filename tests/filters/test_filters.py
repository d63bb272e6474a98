"""Filters: equal to a slow reading of each document; what cannot be meant is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import InvalidFilter
from retrieval.filters import Columns, check, evaluate, parse

scalars = st.one_of(
    st.integers(-3, 3), st.sampled_from(["a", "b", "ü"]), st.booleans(), st.sampled_from([0.5, 2.0])
)
values = st.one_of(scalars, st.none(), st.lists(scalars, max_size=3))
metadata = st.lists(st.dictionaries(st.sampled_from(["x", "y"]), values), max_size=6)
names = st.sampled_from(["x", "y"])


def conditions():
    orderable = st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b"]), st.just(0.5))
    leaf = st.one_of(
        st.one_of(scalars, st.none()),
        st.builds(lambda op, v: {op: v}, st.sampled_from(["$eq", "$ne"]), st.one_of(scalars, st.none())),
        st.builds(lambda op, v: {op: v}, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), orderable),
        st.builds(lambda op, v: {op: v}, st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=3)),
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
            compare = {"$gt": "__gt__", "$gte": "__ge__", "$lt": "__lt__", "$lte": "__le__"}[op]
            outcomes.append(
                any(
                    one is not None
                    and not isinstance(one, bool)
                    and same_kind(one, value)
                    and getattr(float(one) if not isinstance(one, str) else one, compare)(
                        float(value) if not isinstance(value, str) else value
                    )
                    for one in held
                )
            )
    return all(outcomes)


@given(metadata, conditions())
def test_columns_mean_what_documents_say(documents, raw):
    columns = Columns([str(at) for at in range(len(documents))], documents)
    assert evaluate(parse(raw), columns).tolist() == [slow(raw, one) for one in documents]


DOCUMENTS = [
    {"year": 2024, "team": "finance", "tags": ["a"]},
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
        ({"team": None}, [0, 1, 1]),
        ({"draft": True}, [0, 1, 0]),
        ({"document_id": {"$in": ["one", "three"]}}, [1, 0, 1]),
        ({"team": {"$ne": "finance"}}, [0, 1, 1]),
        ({"nowhere": {"$exists": False}}, [1, 1, 1]),
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
        ({"year": float("nan")}, "that"),
        ({"year": {"$in": list(range(501)) and [[1]]}}, "list"),
    ],
)
def test_what_is_no_filter_is_refused(raw, says):
    with pytest.raises(InvalidFilter, match=says):
        parse(raw)


def test_size_and_depth_are_bounded():
    with pytest.raises(InvalidFilter, match="conditions"):
        parse({"$or": [{"year": at} for at in range(501)]})
    deep = {"year": 1}
    for _ in range(30):
        deep = {"$not": deep}
    with pytest.raises(InvalidFilter, match="deep"):
        parse(deep)


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
