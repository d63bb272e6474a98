"""The sizes of a document's text: which are headings, and of which level."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from retrieval.corpus.loaders.printed.hyphens import Hyphens
from retrieval.corpus.loaders.printed.lines import Line

_LARGER, _NUMBERED_LARGER = 1.15, 1.05  # of the size of running text
_MOST = 0.3  # of a document's characters are in headings
_LEAST_LINES = 3  # of running text
_LONGEST = 150
_NUMBERED = re.compile(r"(?:\d{1,2}(?:\.\d{1,2})*\.?|[IVX]{1,5}\.|[A-Z]\.)\s+[^\W\d_]")
_NEXT_LEVEL = 0.95  # of the size of the level above
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Style:
    """The size of running text, those of headings from large to small, and the document's words."""

    body: float = 0.0
    sizes: tuple[float, ...] = ()
    hyphens: Hyphens = field(default_factory=Hyphens)

    @classmethod
    def of(cls, pages: Iterable[list[list[Line]]]) -> Style:
        """Of the rows of all pages."""
        lines = [line for rows in pages for row in rows for line in row]
        hyphens = Hyphens(line.text for line in lines)
        count: Counter[float] = Counter()
        for line in lines:
            count[_rounded(line.size)] += len(line.text)
        if not count:
            return cls(hyphens=hyphens)
        body = count.most_common(1)[0][0]
        large = sum(number for size, number in count.items() if size >= _LARGER * body)
        plain = sum(1 for line in lines if _rounded(line.size) == body)
        if large > _MOST * count.total() or plain < _LEAST_LINES:
            return cls(body, (), hyphens)
        sizes: list[float] = []
        larger = {_rounded(line.size) for line in lines if _rounded(line.size) >= _least(line.text, body)}
        for size in sorted(larger, reverse=True):
            if not sizes or size < _NEXT_LEVEL * sizes[-1]:
                sizes.append(size)
        return cls(body, tuple(sizes), hyphens)

    def level(self, text: str, size: float) -> int:
        """The level of a heading, 0 for other text.

        A heading is short, clearly larger than the running text, or somewhat and numbered, and ends as no
        sentence does.
        """
        size = _rounded(size)
        if not self.sizes or size < _least(text, self.body):
            return 0
        larger = sum(1 for one in self.sizes if size < _NEXT_LEVEL * one)
        return min(larger + 1, _DEEPEST)


def _least(text: str, body: float) -> float:
    """The least size of a heading with this text; infinite if it can be none."""
    letters = sum(one.isalpha() for one in text)
    if letters < max(3, len(text) / 3) or len(text) > _LONGEST or text.endswith((".", ",", ";")):
        return inf
    return body * (_NUMBERED_LARGER if _NUMBERED.match(text) else _LARGER)


def _rounded(size: float) -> float:
    return round(size * 2) / 2
