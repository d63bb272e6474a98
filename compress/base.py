"""The result of a compressor: spans of the source, never rewritten text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Compressed:
    """A shortened text.

    `kept` are half-open character spans of the source, in order, not touching each other.
    `text` is those spans joined: the source itself when everything is kept.
    Token counts are the target model's.
    """

    kept: tuple[tuple[int, int], ...]
    text: str
    tokens_before: int
    tokens_after: int


class Compressor(Protocol):
    """Shortens texts to a token budget shared by all of them."""

    name: str

    def compress(self, query: str, texts: Sequence[str], *, target_tokens: int) -> list[Compressed]:
        """One `Compressed` a text, in order, `sum(tokens_after) <= target_tokens`."""
        ...
