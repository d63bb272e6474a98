"""Inserts citations into an answer while it is streamed. They come from the passages, not from the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from base.text.sentences import End, next_end
from context.citations.evidence import Quote, Support
from context.citations.marks import MarkFilter

_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Cited:
    """`[marker]` in the answer stands for `quote`, which is `passages[passage][start:end]`.

    `mark` is where it stands in the answer for the first time, as a half-open span of characters.
    """

    marker: int
    passage: int
    start: int
    end: int
    quote: str
    mark: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CitedText:
    """The next piece of the answer, marks included, and the citations that it uses for the first time."""

    text: str
    citations: tuple[Cited, ...] = ()


class Citer:
    """Takes an answer piece by piece and returns it with " [n]" before the stop of supported sentences.

    Marks are numbered in order of first use; the same quote has the same mark. A sentence that no passage
    supports gets none. Marks that the model wrote itself are removed. The cuts between the pieces do not
    affect the result. `titles` of the passages and the `question` help to judge support.
    """

    def __init__(self, passages: Sequence[str], *, titles: Sequence[str] = (), question: str = "") -> None:
        self._passages = list(passages)
        self._support = Support(passages, titles=titles, question=question)
        self._marks = MarkFilter(passages)
        self._numbers: dict[Quote, int] = {}
        self._sentence = ""
        self._given = 0
        self._length = 0
        self._in_code = False
        self.supported = False

    @property
    def removed(self) -> tuple[str, ...]:
        """The marks that the model wrote and that were taken out, in order, with the space before them."""
        return tuple(self._marks.removed)

    def feed(self, delta: str) -> CitedText:
        """The text that can no longer change. A possible end of a sentence is held back."""
        return self._advance(self._marks.feed(delta), final=False)

    def finish(self) -> CitedText:
        """The rest of the answer."""
        return self._advance(self._marks.finish(), final=True)

    def _advance(self, text: str, *, final: bool) -> CitedText:
        self._sentence += text
        pieces: list[str] = []
        new: list[Cited] = []
        while True:
            certain, end = next_end(self._sentence, 0, final=final, scanned=self._given)
            if end is None and final and (written := len(self._sentence.rstrip())):
                end = End(written, written, len(self._sentence))
            if end is None:
                self._write(self._sentence[self._given : certain], pieces)
                self._given = max(self._given, certain)
                return CitedText("".join(pieces), tuple(new))
            self._write(self._sentence[self._given : end.body], pieces)
            asks = "?" in self._sentence[end.body : end.gap]
            for quote in self._quotes(self._sentence[: end.body], asks=asks):
                self._mark(quote, pieces, new)
            self._write(self._sentence[end.body : end.gap], pieces)
            self._sentence, self._given = self._sentence[end.gap :], 0

    def _quotes(self, sentence: str, *, asks: bool) -> tuple[Quote, ...]:
        """The quotes that support a finished sentence. Code and questions need no support."""
        unclaimed = self._in_code or _FENCE in sentence or asks
        self._in_code ^= sentence.count(_FENCE) % 2 == 1
        quotes = () if unclaimed else self._support.quotes(sentence)
        self.supported = self.supported or bool(quotes)
        return tuple(quotes)

    def _mark(self, quote: Quote, pieces: list[str], new: list[Cited]) -> None:
        """Writes the mark of a quote, which is a new citation if it has none yet."""
        known = quote in self._numbers
        number = self._numbers.setdefault(quote, len(self._numbers) + 1)
        self._write(" ", pieces)
        start = self._length
        self._write(f"[{number}]", pieces)
        if not known:
            source = self._passages[quote.passage][quote.start : quote.end]
            span = (start, self._length)
            new.append(Cited(number, quote.passage, quote.start, quote.end, source, span))

    def _write(self, text: str, pieces: list[str]) -> None:
        pieces.append(text)
        self._length += len(text)
