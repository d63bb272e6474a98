"""Drafts of what an answer says next, looked up in the passages: answers from documents repeat them.

Prompt lookup decoding (Saxena 2023): where the last tokens stand in the source, what follows there is
the draft. A pass reads all of it at once, and what the model would not have said itself is dropped, so
the answer is the same as without.
"""

from __future__ import annotations

from collections.abc import Sequence

_MATCHES = (3, 2)
"""Tokens that must stand in the source before any is drafted; the longer run is looked for first."""


class Drafter:
    """Looks drafts up in `sources`, at most `most` tokens each, fewer after drafts that were wrong.

    A draft that was right doubles the next one, and one that was wrong from the start halves it; at none,
    only every eighth step tries a single token.
    """

    def __init__(self, sources: Sequence[Sequence[int]], most: int) -> None:
        self._sources = sources
        self._most = most
        self._size = most
        self._skipped = 0
        self._places: dict[tuple[int, ...], tuple[int, int]] | None = None

    def draft(self, ids: Sequence[int], room: int) -> list[int]:
        """What may follow `ids`: at most `room` tokens, often none."""
        if self._size == 0:
            self._skipped = (self._skipped + 1) % 8
        size = min(self._size or int(self._skipped == 0), room)
        if size <= 0:
            return []
        if self._places is None:
            self._places = self._index()
        for count in _MATCHES:
            place = self._places.get(tuple(ids[-count:]))
            if place is not None:
                source, at = place
                return list(self._sources[source][at : at + size])
        return []

    def learn(self, drafted: int, right: int) -> None:
        """Takes notice of how many tokens of the last draft were right."""
        if drafted:
            if right == drafted:
                self._size = min(self._most, max(1, self._size * 2))
            elif right == 0:
                self._size //= 2

    def _index(self) -> dict[tuple[int, ...], tuple[int, int]]:
        """Where each run of tokens stands for the first time, by the place behind it."""
        places: dict[tuple[int, ...], tuple[int, int]] = {}
        for number, source in enumerate(self._sources):
            for count in _MATCHES:
                for at in range(count, len(source)):
                    places.setdefault(tuple(source[at - count : at]), (number, at))
        return places
