"""Metadata filters: a small tree of conditions, evaluated on columns inside retrieval.

The operators are MongoDB's: `$eq $ne $gt $gte $lt $lte $in $nin $exists $and $or $not`. A bare value means
`$eq`, several keys mean `$and`. A list-valued field matches when any of its elements does. `$ne`, `$nin`
and `$not` are complements: they also match documents without the field. null matches an absent field too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from retrieval.errors import InvalidFilter
from retrieval.types import Bits, Int32, Metadata

MOST_CONDITIONS = 500
DEEPEST = 20
DOCUMENT_ID = "document_id"
"""A field that every document has."""

_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
FIELD_OPERATORS = ("$eq", "$ne", *_ORDERS, "$in", "$nin", "$exists", "$not")
GROUP_OPERATORS = ("$and", "$or", "$not")


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field has one of the values; None stands for an absent field."""

    field: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """The field compares so with the value, a number or a string."""

    field: str
    order: str
    value: Any


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, null or not."""

    field: str


Condition: TypeAlias = AllOf | AnyOf | Negation | OneOf | Order | Exists


def parse(raw: Mapping[str, Any]) -> Condition:
    """The tree of a filter. Raises InvalidFilter for anything it does not know, naming what is allowed.

    >>> parse({"year": {"$gte": 2024}})
    Order(field='year', order='$gte', value=2024)
    """
    budget = [MOST_CONDITIONS]
    return _group(raw, 0, budget)


def _group(raw: Any, depth: int, budget: list[int]) -> Condition:
    if not isinstance(raw, Mapping):
        raise InvalidFilter(f"a filter is an object of conditions, not {_kind_name(raw)}")
    if depth > DEEPEST:
        raise InvalidFilter(f"a filter is at most {DEEPEST} levels deep")
    parts: list[Condition] = []
    for key, value in raw.items():
        if key == "$not":
            parts.append(Negation(_group(value, depth + 1, budget)))
        elif key in ("$and", "$or"):
            if not isinstance(value, Sequence) or isinstance(value, str) or not value:
                raise InvalidFilter(f"{key} takes a list of at least one filter")
            inner = tuple(_group(one, depth + 1, budget) for one in value)
            parts.append(AllOf(inner) if key == "$and" else AnyOf(inner))
        elif str(key).startswith("$"):
            raise _unknown(key, GROUP_OPERATORS)
        else:
            parts.append(_field(str(key), value, depth + 1, budget))
    return _all(parts)


def _all(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _field(field: str, raw: Any, depth: int, budget: list[int]) -> Condition:
    if not isinstance(raw, Mapping):
        return _compare(field, "$eq", raw, depth, budget)
    if not raw:
        raise InvalidFilter(f"field {field!r} has no condition", field=field)
    return _all([_compare(field, key, value, depth, budget) for key, value in raw.items()])


def _compare(field: str, key: str, value: Any, depth: int, budget: list[int]) -> Condition:
    budget[0] -= 1
    if budget[0] < 0:
        raise InvalidFilter(f"a filter has at most {MOST_CONDITIONS} conditions")
    if key == "$exists":
        if not isinstance(value, bool):
            raise InvalidFilter("$exists takes true or false", field=field)
        return Exists(field) if value else Negation(Exists(field))
    if key == "$not":
        if depth > DEEPEST:
            raise InvalidFilter(f"a filter is at most {DEEPEST} levels deep")
        return Negation(_field(field, value, depth + 1, budget))
    if key in _ORDERS:
        if kind_of(value) not in ("number", "string"):
            raise InvalidFilter(f"{key} compares numbers or strings, not {_kind_name(value)}", field=field)
        return Order(field, key, value)
    if key in ("$in", "$nin"):
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise InvalidFilter(f"{key} takes a list of values", field=field)
        wanted = OneOf(field, tuple(_scalar(field, one) for one in value))
        return wanted if key == "$in" else Negation(wanted)
    if key in ("$eq", "$ne"):
        wanted = OneOf(field, (_scalar(field, value),))
        return wanted if key == "$eq" else Negation(wanted)
    raise _unknown(key, FIELD_OPERATORS)


def _scalar(field: str, value: Any) -> Any:
    if kind_of(value) is None:
        raise InvalidFilter(f"field {field!r} is compared with a value, not {_kind_name(value)}", field=field)
    return value


def _unknown(key: object, allowed: Iterable[str]) -> InvalidFilter:
    names = list(allowed)
    return InvalidFilter(f"no operator {key!r}; there are {', '.join(names)}", allowed=names)


def kind_of(value: object) -> str | None:
    """number, string, bool or null; None for what no field can hold as one value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number" if value == value else None  # NaN equals nothing, so it is refused
    return "string" if isinstance(value, str) else None


def _kind_name(value: object) -> str:
    kind = kind_of(value)
    if kind:
        return kind
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "that"


class Columns:
    """One segment's metadata by field: which documents hold which values. Immutable once built."""

    def __init__(self, ids: Sequence[str], metadata: Sequence[Metadata]) -> None:
        self.documents = len(ids)
        self._present: dict[str, list[int]] = {}
        values: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
        for document, (identity, fields) in enumerate(zip(ids, metadata, strict=True)):
            for field, value in {**fields, DOCUMENT_ID: identity}.items():
                self._present.setdefault(field, []).append(document)
                for one in value if isinstance(value, list) else [value]:
                    documents, held = values.setdefault((field, kind_of(one) or ""), ([], []))
                    documents.append(document)
                    held.append(one)
        self._values: dict[tuple[str, str], tuple[Int32, np.ndarray]] = {
            key: (np.array(documents, np.int32), _objects(held)) for key, (documents, held) in values.items()
        }

    def kinds(self) -> dict[str, set[str]]:
        """Each field and the kinds of its values."""
        kinds: dict[str, set[str]] = {field: set() for field in self._present}
        for field, kind in self._values:
            kinds[field].add(kind)
        return kinds

    def present(self, field: str) -> Bits:
        """The documents that have the field."""
        return self._bits(np.array(self._present.get(field, []), np.int32))

    def where(self, field: str, kind: str, test: Callable[[np.ndarray], Any]) -> Bits:
        """The documents with a value of that kind that passes `test`, an elementwise comparison."""
        held = self._values.get((field, kind))
        if held is None:
            return np.zeros(self.documents, bool)
        documents, values = held
        return self._bits(documents[np.asarray(test(values), bool)])

    def _bits(self, documents: Int32) -> Bits:
        bits = np.zeros(self.documents, bool)
        bits[documents] = True
        return bits


def _objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def check(condition: Condition, kinds: Mapping[str, set[str]]) -> None:
    """Raises InvalidFilter for a field that no document has, or a value of a kind it never holds."""
    if isinstance(condition, (AllOf, AnyOf)):
        for part in condition.parts:
            check(part, kinds)
    elif isinstance(condition, Negation):
        check(condition.part, kinds)
    elif not isinstance(condition, Exists):
        field = condition.field
        if field not in kinds:
            allowed = sorted(kinds)
            raise InvalidFilter(
                f"no document has a field {field!r}; there are {', '.join(allowed[:30]) or 'none'}. "
                "Only $exists may name a field that is not there.",
                field=field,
                allowed=allowed,
            )
        values = condition.values if isinstance(condition, OneOf) else (condition.value,)
        for value in values:
            kind = kind_of(value)
            if kind != "null" and kind not in kinds[field]:
                held = " and ".join(sorted(kinds[field]))
                raise InvalidFilter(
                    f"field {field!r} holds {held}, so it cannot be compared with {value!r}", field=field
                )


def evaluate(condition: Condition, columns: Columns) -> Bits:
    """The documents (n,) of a segment for which the condition holds."""
    if isinstance(condition, AllOf):
        bits = np.ones(columns.documents, bool)
        for part in condition.parts:
            bits &= evaluate(part, columns)
        return bits
    if isinstance(condition, AnyOf):
        bits = np.zeros(columns.documents, bool)
        for part in condition.parts:
            bits |= evaluate(part, columns)
        return bits
    if isinstance(condition, Negation):
        return ~evaluate(condition.part, columns)
    if isinstance(condition, Exists):
        return columns.present(condition.field)
    if isinstance(condition, Order):
        compare, value = _ORDERS[condition.order], condition.value
        return columns.where(condition.field, kind_of(value) or "", lambda held: compare(held, value))
    bits = np.zeros(columns.documents, bool)
    for value in condition.values:
        bits |= _equal(condition.field, value, columns)
    return bits


def _equal(field: str, value: Any, columns: Columns) -> Bits:
    if value is None:
        absent: Bits = ~columns.present(field)
        return absent | columns.where(field, "null", lambda held: np.ones(len(held), bool))
    return columns.where(field, kind_of(value) or "", lambda held: held == value)
