"""Facets: how many documents have which value of a metadata field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from retrieval.errors import InvalidField
from retrieval.segments.columns import Columns
from retrieval.types import Bits, Scalar

MOST_VALUES = 100_000
"""Different values of a field that are counted; there has to be room for all, as the first are not known."""


@dataclass(slots=True)
class Counted:
    """The documents that have a field, and those with each value: by kind and value, as 1 is not true.

    Null is no value. A list counts once for each different value in it.
    """

    name: str
    values: Counter[tuple[str, Scalar]] = field(default_factory=Counter)
    documents: int = 0

    def add(self, columns: Columns, chosen: Bits | None) -> None:
        """Counts the `chosen` documents (n,) of a segment; None: all. Raises InvalidField."""
        valued = columns.valued(self.name)
        self.documents += int((valued if chosen is None else valued & chosen).sum())
        for kind, (distinct, counts) in columns.counts(self.name, chosen).items():
            held = np.flatnonzero(counts)
            if len(held) <= MOST_VALUES:
                self._take({(kind, distinct[at]): int(counts[at]) for at in held.tolist()})
            else:
                raise _too_many(self.name)

    def merge(self, other: Counted) -> None:
        """Adds what was counted elsewhere. Raises InvalidField."""
        self.documents += other.documents
        self._take(other.values)

    def _take(self, counts: Mapping[tuple[str, Scalar], int]) -> None:
        self.values.update(counts)
        if len(self.values) > MOST_VALUES:
            raise _too_many(self.name)

    def first(self, count: int) -> list[tuple[Scalar, int]]:
        """The values that most documents have, with how many; of equals the smaller first."""
        ranked = sorted(self.values.items(), key=lambda one: (-one[1], one[0]))
        return [(value, documents) for (_, value), documents in ranked[:count]]

    @property
    def numbers(self) -> list[float]:
        """The different numbers among the values."""
        return [value for kind, value in self.values if kind == "number" and isinstance(value, (int, float))]


def _too_many(name: str) -> InvalidField:
    return InvalidField(
        name,
        f"it has more than {MOST_VALUES:,} different values among these documents. "
        "Count another field, or narrow the documents with a filter",
    )


def unknown_field(name: str, fields: Iterable[str]) -> InvalidField:
    """The error for a field that no document has."""
    allowed = sorted(fields)
    return InvalidField(name, f"no document has it; there are {', '.join(allowed[:30])}", allowed=allowed)
