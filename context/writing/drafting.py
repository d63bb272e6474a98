"""Speculative drafts of an answer's next tokens, looked up in the passages, which answers often repeat.

Prompt lookup decoding (Saxena 2023): the last tokens of the answer are searched for in the source. The
tokens that follow there are the draft. One pass reads the whole draft, and tokens that the model would not
have chosen are dropped. So the answer is the same as without drafts.
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
        """A draft that may follow `ids`: at most `room` tokens, often none."""
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
        """Records how many tokens of the last draft were right."""
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
