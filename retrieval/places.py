"""Pages and rows of a span of a document's text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from retrieval.types import Mark


class Place(NamedTuple):
    """Where a span stands in its file: from the first to the last page, or row, that it has a part of."""

    kind: Literal["page", "row"]
    first: int
    last: int


class MarkedText:
    """A document's marks, to be looked up by span."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        # Marks of one kind do not overlap, so that both their starts and their ends rise.
        kinds: dict[str, list[Mark]] = {}
        for mark in marks:
            kinds.setdefault(mark.kind, []).append(mark)
        self._kinds = [sorted(every, key=lambda mark: mark.start) for every in kinds.values()]

    def within(self, start: int, end: int) -> tuple[Mark, ...]:
        """The marks that have a part of the half-open span, by start."""
        found = [
            mark
            for every in self._kinds
            for mark in every[
                bisect_right(every, start, key=lambda mark: mark.end) : bisect_left(
                    every, end, key=lambda mark: mark.start
                )
            ]
        ]
        return tuple(sorted(found, key=lambda mark: mark.start))


def places_of(marks: Sequence[Mark], start: int, end: int) -> list[Place]:
    """The places of a half-open span, one for each kind of mark that it has a part of.

    >>> places_of([Mark("page", 3, 0, 10), Mark("page", 4, 10, 20)], 5, 12)
    [Place(kind='page', first=3, last=4)]
    """
    numbers: dict[Literal["page", "row"], list[int]] = {}
    for mark in MarkedText(marks).within(start, end):
        numbers.setdefault(mark.kind, []).append(mark.number)
    return [Place(kind, min(every), max(every)) for kind, every in numbers.items()]
