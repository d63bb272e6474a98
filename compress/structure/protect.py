"""Protected words, which are kept regardless of their score: force tokens, digits, patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from base.text.words import Spans

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Protected:
    """Words (n,) of a text: those that the options name, ends of sentences, and those with a digit."""

    named: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    numbers: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Protection:
    """The words that are kept first, as far as the budget allows.

    `ends` are punctuation words that hold a sentence together (LLMLingua-2's force tokens). One that would
    follow another, or nothing at all, is left out. `digits` keeps every word with a digit in it. `patterns`
    keep every word that a match touches.
    """

    ends: frozenset[str] = frozenset()
    digits: bool = False
    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, options: CompressMethod) -> Protection:
        """What the options protect: signs as ends, words and phrases wherever they stand as such."""
        signs = frozenset(one for one in options.keep if not any(map(str.isalnum, one)))
        phrases = "|".join(re.escape(one) for one in options.keep if one not in signs)
        patterns = (re.compile(rf"(?<!\w)(?:{phrases})(?!\w)"),) if phrases else ()
        return cls(signs, options.digits, patterns)

    def of_words(self, text: str, spans: Spans) -> Protected:
        """Which words of the text (n,) are protected, and why."""
        ends = self.is_end(text, spans)
        named = np.zeros(len(spans), dtype=bool)
        for pattern in self.patterns:
            named |= touched(spans, [match.span() for match in pattern.finditer(text)])
        numbers = np.zeros(len(spans), dtype=bool)
        if self.digits:
            numbers |= np.fromiter((_DIGIT.search(text, *span) is not None for span in spans.tolist()), bool)
        return Protected(named, ends, numbers)

    def is_end(self, text: str, spans: Spans) -> NDArray[np.bool_]:
        """Which words (n,) are force tokens."""
        return np.fromiter((text[start:end] in self.ends for start, end in spans.tolist()), bool, len(spans))


def touched(spans: Spans, ranges: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which spans (n, 2), in order and apart, share a character with one of `ranges`."""
    found = np.zeros(len(spans), dtype=bool)
    for start, end in ranges:
        first = int(np.searchsorted(spans[:, 1], start, side="right"))
        last = int(np.searchsorted(spans[:, 0], end, side="left"))
        found[first:last] = True
    return found
