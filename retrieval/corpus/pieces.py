"""Token counts of any span of a text, and cutting a span that holds too many."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.types import Int64, Tokens

# A tokenizer's memory and, for some, its time grow faster than the length of one text.
BLOCK_CHARACTERS = 32_768

_CLAUSE = re.compile(r"[\r\n]+|[.!?…;:,，；：、،)\]—–]+(?=\s)|[，；：、]+")
_SPACE = re.compile(r"\s+")
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class TokenMap:
    """Where one text's tokens start and end, as sorted character offsets (n,) each.

    Tokens may share characters: a byte-level vocabulary spells one emoji with several.
    """

    starts: Int64
    ends: Int64

    @classmethod
    def of(cls, text: str, tokenize: Callable[[Sequence[str]], list[Tokens]]) -> TokenMap:
        """Tokenizes the text once, in blocks that end at whitespace where there is any."""
        bounds = list(_blocks(text))
        offsets = [
            tokens.offsets.astype(np.int64).reshape(-1, 2) + start
            for (start, _), tokens in zip(
                bounds, tokenize([text[start:end] for start, end in bounds]), strict=True
            )
        ]
        spans = np.concatenate(offsets) if offsets else np.empty((0, 2), np.int64)
        spans = spans[spans[:, 1] > spans[:, 0]]
        return cls(np.sort(spans[:, 0]), np.sort(spans[:, 1]))

    def count(self, start: int, end: int) -> int:
        """How many tokens overlap the half-open span."""
        return max(0, self.begun_before(end) - self.ended_by(start))

    def begun_before(self, position: int) -> int:
        """Tokens whose first character is before the position."""
        return int(np.searchsorted(self.starts, position, "left"))

    def ended_by(self, position: int) -> int:
        """Tokens whose last character is before the position."""
        return int(np.searchsorted(self.ends, position, "right"))

    def boundary(self, start: int, end: int) -> int:
        """The last position in (start, end] that is inside no token, or `end` where each is.

        Only the starts of tokens are looked at: what stands between two belongs to the first.
        """
        number = int(np.searchsorted(self.starts, end, "right")) - 1
        while number >= 0 and self.starts[number] > start:
            position = int(self.starts[number])
            if self.begun_before(position) == self.ended_by(position):
                return position
            number -= 1
        return end


@dataclass(frozen=True, slots=True)
class Budget:
    """The most tokens, and the most characters, that a span may have."""

    tokens: int
    characters: int

    def holds(self, spans: TokenMap, start: int, end: int) -> bool:
        """Whether the half-open span fits."""
        return end - start <= self.characters and spans.count(start, end) <= self.tokens


def fitting(text: str, start: int, end: int, spans: TokenMap, budget: Budget) -> Iterator[tuple[int, int]]:
    """Cuts a span into pieces within the budget, each as long as can be; whitespace is left out.

    It cuts at the end of a line or clause in the second half of what fits, else between words, else
    between tokens, and inside a token only where one alone is over the budget.
    """
    while start < end:
        if text[start].isspace():
            start = _after_space(text, start, end)
            continue
        cut = end if budget.holds(spans, start, end) else _cut(text, start, end, spans, budget)
        yield start, _before_space(text, start, cut)
        start = cut


def _cut(text: str, start: int, end: int, spans: TokenMap, budget: Budget) -> int:
    most = _furthest(start, end, spans, budget)
    window = text[start : min(most + 1, end)]
    clauses = [
        found.end() for found in _CLAUSE.finditer(window) if (most - start) // 2 < found.end() <= most - start
    ]
    if clauses:
        return start + clauses[-1]
    words = [found.start() for found in _SPACE.finditer(window) if 0 < found.start() <= most - start]
    if words:
        return start + words[-1]
    return _whole_character(text, start, spans.boundary(start, most))


def _furthest(start: int, end: int, spans: TokenMap, budget: Budget) -> int:
    """The last position up to which the span fits; at least one character on."""
    most = min(start + budget.characters, end)
    over = spans.ended_by(start) + budget.tokens
    if over < len(spans.starts):
        most = min(most, int(spans.starts[over]))
    return max(most, start + 1)


def _whole_character(text: str, start: int, cut: int) -> int:
    """Moves a cut back to where it does not split an emoji or an accented letter in two."""
    position = cut
    while position > start and position < len(text) and _continues(text, position):
        position -= 1
    return position if position > start else cut


def _continues(text: str, position: int) -> bool:
    character = text[position]
    return (
        character == _JOINER
        or text[position - 1] == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character).startswith("M")
    )


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = min(start + BLOCK_CHARACTERS, len(text))
        if end < len(text):
            end = _last_space(text, (start + end) // 2, end) or end
        yield start, end
        start = end


def _last_space(text: str, start: int, end: int) -> int | None:
    return next((at for at in range(end - 1, start, -1) if text[at].isspace()), None)


def _after_space(text: str, start: int, end: int) -> int:
    found = _SPACE.match(text, start, end)
    return found.end() if found else start


def _before_space(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1].isspace():
        end -= 1
    return end
