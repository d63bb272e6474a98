"""Citations put into an answer while it is written: from what the passages say, not from the model's word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from context.markers import MarkFilter
from context.sentences import End, next_end
from context.support import Quote, Support

_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Cited:
    """`[marker]` in the answer stands for `quote`, which is `passages[passage][start:end]`."""

    marker: int
    passage: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class CitedText:
    """The next piece of the answer, marks included, and the citations that it uses for the first time."""

    text: str
    citations: tuple[Cited, ...] = ()


class Citer:
    """Reads an answer piece by piece and gives it back with " [n]" before the stop of supported sentences.

    Marks are numbered in order of first use; the same quote keeps its mark. A sentence that no passage
    carries gets none, and marks that the model wrote itself are taken out. How the answer is cut into
    pieces changes nothing. `titles` of the passages and the `question` help to judge support.
    """

    def __init__(self, passages: Sequence[str], *, titles: Sequence[str] = (), question: str = "") -> None:
        self._passages = list(passages)
        self._support = Support(passages, titles=titles, question=question)
        self._marks = MarkFilter(passages)
        self._numbers: dict[Quote, int] = {}
        self._sentence = ""
        self._given = 0
        self._in_code = False
        self.supported = False

    @property
    def removed(self) -> tuple[str, ...]:
        """The marks that the model wrote and that were taken out, in order, with the space before them."""
        return tuple(self._marks.removed)

    def feed(self, delta: str) -> CitedText:
        """The text that can no longer change; only what may be the end of a sentence is held back."""
        return self._advance(self._marks.feed(delta), final=False)

    def finish(self) -> CitedText:
        """The rest of the answer."""
        return self._advance(self._marks.finish(), final=True)

    def _advance(self, text: str, *, final: bool) -> CitedText:
        self._sentence += text
        pieces: list[str] = []
        new: list[Cited] = []
        while True:
            certain, end = next_end(self._sentence, 0, final=final)
            written = len(self._sentence.rstrip())
            if end is None and final and written:
                end = End(written, written, len(self._sentence))
            if end is None:
                certain = certain if final else min(certain, written)
                pieces.append(self._sentence[self._given : certain])
                self._given = max(self._given, certain)
                return CitedText("".join(pieces), tuple(new))
            pieces.append(self._sentence[self._given : end.body])
            asks = "?" in self._sentence[end.body : end.gap]
            pieces += [f" [{number}]" for number in self._cite(self._sentence[: end.body], new, asks=asks)]
            pieces.append(self._sentence[end.body : end.gap])
            self._sentence, self._given = self._sentence[end.gap :], 0

    def _cite(self, sentence: str, new: list[Cited], *, asks: bool) -> list[int]:
        """The numbers of the marks that a finished sentence gets; code and questions get none."""
        unclaimed = self._in_code or _FENCE in sentence or asks
        self._in_code ^= sentence.count(_FENCE) % 2 == 1
        quotes = () if unclaimed else self._support.quotes(sentence)
        self.supported = self.supported or bool(quotes)
        for quote in quotes:
            if quote not in self._numbers:
                self._numbers[quote] = len(self._numbers) + 1
                source = self._passages[quote.passage][quote.start : quote.end]
                new.append(Cited(self._numbers[quote], quote.passage, quote.start, quote.end, source))
        return [self._numbers[quote] for quote in quotes]
