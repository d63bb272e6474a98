"""Metadata filters: a small tree of conditions, evaluated on columns inside retrieval.

The operators are MongoDB's: `$eq $ne $gt $gte $lt $lte $in $nin $exists $and $or $not`. A bare value means
`$eq`, several keys mean `$and`. A list-valued field matches when any of its elements does. `$ne`, `$nin`
and `$not` are complements: they also match documents without the field. null matches an absent field too.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np

from retrieval.errors import InvalidFilter
from retrieval.segments.columns import Columns, Comparison, kind_of
from retrieval.types import Bits

MOST_CONDITIONS = 500
MOST_VALUES = 10_000
DEEPEST = 20

_ORDERS: tuple[Comparison, ...] = get_args(Comparison)
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
    order: Comparison
    value: Any


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, null or not."""

    field: str


Condition: TypeAlias = AllOf | AnyOf | Negation | OneOf | Order | Exists


@dataclass(slots=True)
class _Budget:
    """The remaining size allowance of a filter."""

    conditions: int = MOST_CONDITIONS
    values: int = MOST_VALUES

    def spend(self, depth: int, values: int = 0) -> None:
        self.conditions -= 1
        self.values -= values
        if depth > DEEPEST:
            raise InvalidFilter(f"a filter is at most {DEEPEST} levels deep")
        if self.conditions < 0:
            raise InvalidFilter(f"a filter has at most {MOST_CONDITIONS} conditions")
        if self.values < 0:
            raise InvalidFilter(f"a filter's lists have at most {MOST_VALUES} values together")


def parse(raw: Mapping[str, Any]) -> Condition:
    """The tree of a filter. Raises InvalidFilter for anything it does not know, naming what is allowed.

    >>> parse({"year": {"$gte": 2024}})
    Order(field='year', order='$gte', value=2024)
    """
    return _group(raw, 0, _Budget())


def _group(raw: Any, depth: int, budget: _Budget) -> Condition:
    if not isinstance(raw, Mapping):
        raise InvalidFilter(f"a filter is an object of conditions, not {_kind_name(raw)}")
    budget.spend(depth)
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


def _field(field: str, raw: Any, depth: int, budget: _Budget) -> Condition:
    if not isinstance(raw, Mapping):
        return _compare(field, "$eq", raw, depth, budget)
    if not raw:
        raise InvalidFilter(f"field {reprlib.repr(field)} has no condition", field=field)
    return _all([_compare(field, key, value, depth, budget) for key, value in raw.items()])


def _compare(field: str, key: str, value: Any, depth: int, budget: _Budget) -> Condition:
    budget.spend(depth, len(value) if isinstance(value, (list, tuple)) else 1)
    if key == "$exists":
        if not isinstance(value, bool):
            raise InvalidFilter("$exists takes true or false", field=field)
        return Exists(field) if value else Negation(Exists(field))
    if key == "$not":
        return Negation(_field(field, value, depth + 1, budget))
    if key in _ORDERS:
        if kind_of(value) not in ("number", "string"):
            raise InvalidFilter(f"{key} compares numbers or strings, not {_kind_name(value)}", field=field)
        return Order(field, key, value)
    if key in ("$in", "$nin"):
        if not isinstance(value, (list, tuple)):
            raise InvalidFilter(f"{key} takes a list of values", field=field)
        wanted = OneOf(field, tuple(_scalar(field, one) for one in value))
        return wanted if key == "$in" else Negation(wanted)
    if key in ("$eq", "$ne"):
        wanted = OneOf(field, (_scalar(field, value),))
        return wanted if key == "$eq" else Negation(wanted)
    raise _unknown(key, FIELD_OPERATORS)


def _scalar(field: str, value: Any) -> Any:
    if kind_of(value) is None:
        raise InvalidFilter(
            f"field {reprlib.repr(field)} is compared with a value, not {_kind_name(value)}", field=field
        )
    return value


def _unknown(key: object, allowed: Iterable[str]) -> InvalidFilter:
    names = list(allowed)
    return InvalidFilter(f"no operator {reprlib.repr(key)}; there are {', '.join(names)}", allowed=names)


def _kind_name(value: object) -> str:
    kind = kind_of(value)
    if kind:
        return kind
    if isinstance(value, float):
        return "NaN"
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "that"


def check(condition: Condition, kinds: Mapping[str, set[str]]) -> None:
    """Raises InvalidFilter for a field that no document has, or a value of a kind it never holds."""
    if isinstance(condition, (AllOf, AnyOf)):
        for part in condition.parts:
            check(part, kinds)
    elif isinstance(condition, Negation):
        check(condition.part, kinds)
    elif isinstance(condition, Order):
        _check_values(condition.field, (condition.value,), kinds)
    elif isinstance(condition, OneOf):
        _check_values(condition.field, condition.values, kinds)


def _check_values(field: str, values: Iterable[Any], kinds: Mapping[str, set[str]]) -> None:
    if field not in kinds:
        allowed = sorted(kinds)
        raise InvalidFilter(
            f"no document has a field {reprlib.repr(field)}; there are {', '.join(allowed[:30]) or 'none'}. "
            "Only $exists may name a field that is not there.",
            field=field,
            allowed=allowed,
        )
    for value in values:
        kind = kind_of(value)
        if kind != "null" and kind not in kinds[field]:
            held = " and ".join(sorted(kinds[field])) or "only empty lists"
            raise InvalidFilter(
                f"field {reprlib.repr(field)} holds {held}, so it cannot be compared with "
                f"{reprlib.repr(value)}",
                field=field,
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
        return columns.ordered(condition.field, condition.order, condition.value)
    return _one_of(condition, columns)


def _one_of(condition: OneOf, columns: Columns) -> Bits:
    by_kind: dict[str, list[Any]] = {}
    for value in condition.values:
        by_kind.setdefault(kind_of(value) or "", []).append(value)
    bits = ~columns.present(condition.field) if "null" in by_kind else np.zeros(columns.documents, bool)
    for kind, values in by_kind.items():
        bits |= columns.among(condition.field, kind, values)
    return bits
