"""Token ids to text, one at a time, never half a character."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"
_MOST_BROKEN = 3
"""An unfinished character lacks at least one of its at most four bytes."""


class Detokenizer:
    """Turns a growing list of token ids into a growing text.

    The text of a token depends on the token before it (a leading space, half a character). So a short
    window is decoded again each time, and only text that can no longer change is returned.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._before: list[int] = []
        self._pending: list[int] = []
        self._given = 0

    def feed(self, token: int) -> str:
        """The text that is certain with this token; "" while a character is incomplete."""
        self._pending.append(token)
        text = self._text()
        settled = _without_broken_end(text)
        new = settled[self._given :]
        if settled == text:
            self._before, self._pending, self._given = self._pending, [], 0
        else:
            self._given = max(self._given, len(settled))
        return new

    def _text(self) -> str:
        known = len(self._decode(self._before))
        return self._decode([*self._before, *self._pending])[known:]


def _without_broken_end(text: str) -> str:
    for _ in range(_MOST_BROKEN):
        text = text.removesuffix(_BROKEN)
    return text
