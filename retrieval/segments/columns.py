"""One segment's metadata as columns: a filter compares a field's distinct values, then only their numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from retrieval.types import Bits, Int32, Int64, Metadata

DOCUMENT_ID = "document_id"
"""A field that every document has."""

Comparison: TypeAlias = Literal["$gt", "$gte", "$lt", "$lte"]


def kind_of(value: object) -> str | None:
    """The kind of a value: number, string, bool or null. None if a field cannot hold it as one value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number" if value == value else None  # NaN equals nothing, so it is refused
    return "string" if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Column:
    """A field's values of one kind: document `documents[i]` has `distinct[codes[i]]`; `distinct` rises."""

    documents: Int32
    codes: Int32
    distinct: list[Any]

    def ordered(self, comparison: Comparison, value: Any) -> Bits:
        if comparison == "$gt":
            return self.codes >= bisect_right(self.distinct, value)
        if comparison == "$gte":
            return self.codes >= bisect_left(self.distinct, value)
        if comparison == "$lt":
            return self.codes < bisect_left(self.distinct, value)
        return self.codes < bisect_right(self.distinct, value)

    def among(self, values: Iterable[Any]) -> Bits:
        wanted = np.zeros(len(self.distinct), bool)
        for value in values:
            at = bisect_left(self.distinct, value)
            if at < len(self.distinct) and self.distinct[at] == value:
                wanted[at] = True
        return wanted[self.codes]

    def counts(self, chosen: Bits | None) -> Int64:
        """How many documents have each distinct value; `chosen` (documents,) leaves the others out."""
        documents, codes = self.documents, self.codes
        if not (np.diff(documents) > 0).all():  # lists: a value that one has twice is one document's
            pairs = np.unique(documents.astype(np.int64) * len(self.distinct) + codes)
            documents, codes = (part.astype(np.int32) for part in np.divmod(pairs, len(self.distinct)))
        if chosen is not None:
            codes = codes[chosen[documents]]
        return np.bincount(codes, minlength=len(self.distinct)).astype(np.int64)


class Columns:
    """Which documents (n,) have which fields and values. Immutable once built.

    A list counts as each of its elements. Values of several kinds in one field stand in several columns.
    """

    def __init__(self, ids: Sequence[str], metadata: Sequence[Metadata]) -> None:
        self.documents = len(ids)
        present: dict[str, list[int]] = {}
        held: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
        for document, (identity, fields) in enumerate(zip(ids, metadata, strict=True)):
            for field, value in {**fields, DOCUMENT_ID: identity}.items():
                present.setdefault(field, []).append(document)
                for one in value if isinstance(value, list) else [value]:
                    if kind := kind_of(one):
                        documents, values = held.setdefault((field, kind), ([], []))
                        documents.append(document)
                        values.append(one)
        self._present = {field: np.array(documents, np.int32) for field, documents in present.items()}
        self._columns = {key: _column(documents, values) for key, (documents, values) in held.items()}

    @property
    def fields(self) -> set[str]:
        """Every field that a document has, live or not."""
        return set(self._present)

    def kinds(self, live: Bits | None = None) -> dict[str, set[str]]:
        """Each field that a live document has, and the kinds of its values there."""
        kinds: dict[str, set[str]] = {
            field: set()
            for field, documents in self._present.items()
            if live is None or live[documents].any()
        }
        for (field, kind), column in self._columns.items():
            if live is None or live[column.documents].any():
                kinds[field].add(kind)
        return kinds

    def present(self, field: str) -> Bits:
        """The documents that have the field."""
        return self._bits(self._present.get(field))

    def ordered(self, field: str, comparison: Comparison, value: Any) -> Bits:
        """The documents with a value, of the same kind, that compares so with a number or string."""
        column = self._columns.get((field, kind_of(value) or ""))
        return self._bits(column.documents[column.ordered(comparison, value)] if column else None)

    def among(self, field: str, kind: str, values: Iterable[Any]) -> Bits:
        """The documents with one of the values, all of that kind."""
        column = self._columns.get((field, kind))
        if column is None:
            return self._bits(None)
        # Nulls are all one value, and have no order to look them up by.
        chosen = column.documents if kind == "null" else column.documents[column.among(values)]
        return self._bits(chosen)

    def counts(self, field: str, chosen: Bits | None) -> dict[str, tuple[list[Any], Int64]]:
        """By kind, nulls left out: the field's different values, and how many documents have each.

        `chosen` (documents,) are those that count; None: all. A list counts once for each of its values.
        """
        return {
            kind: (column.distinct, column.counts(chosen))
            for kind in ("number", "string", "bool")
            if (column := self._columns.get((field, kind))) is not None
        }

    def valued(self, field: str) -> Bits:
        """The documents with a value in the field that is not null."""
        bits = np.zeros(self.documents, bool)
        for kind in ("number", "string", "bool"):
            if (column := self._columns.get((field, kind))) is not None:
                bits[column.documents] = True
        return bits

    def _bits(self, documents: Int32 | None) -> Bits:
        bits = np.zeros(self.documents, bool)
        if documents is not None:
            bits[documents] = True
        return bits


def _column(documents: list[int], values: list[Any]) -> _Column:
    distinct = sorted(set(values)) if values[0] is not None else [None]
    codes = {value: code for code, value in enumerate(distinct)}
    return _Column(
        np.array(documents, np.int32), np.array([codes[value] for value in values], np.int32), distinct
    )
