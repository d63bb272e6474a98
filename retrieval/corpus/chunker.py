"""Cuts documents into passages: contiguous spans that are retrieved, ranked and cited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from base.errors import ExcerptaError
from base.text.sentences import ends_paragraph, sentences
from retrieval.corpus.headings import path_line, sections
from retrieval.corpus.names import spoken
from retrieval.corpus.pieces import Budget, TokenMap, fitting
from retrieval.corpus.units import Layout, layout
from retrieval.places import MarkedText
from retrieval.types import Document, Passage, Tokens

FEWEST_TOKENS = 8
# Text has about five characters a token. A base64 blob may be one unknown token of a megabyte.
CHARACTERS_A_TOKEN = 16


class InvalidChunking(ExcerptaError):
    """The passage size or the overlap cannot be used."""

    def __init__(self, passage_tokens: int, overlap_tokens: int) -> None:
        super().__init__(
            f"passage_tokens={passage_tokens} with overlap_tokens={overlap_tokens}: passages need at least "
            f"{FEWEST_TOKENS} tokens, and the overlap must be 0 or more and less than passage_tokens."
        )
        self.passage_tokens = passage_tokens
        self.overlap_tokens = overlap_tokens


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or a part of one that is too long (then not `whole`). Half-open character span.

    A passage begins at a piece that `opens` one.
    """

    start: int
    end: int
    whole: bool
    ends_paragraph: bool
    opens: bool = False


class Chunker:
    """Passages of at most `passage_tokens` tokens, cut at sentence ends, that never span two headings.

    A table's row, a list item and a short piece of code are cut only where one alone is over the budget. Rows
    of a table that is longer than a passage are passages of their own, as those of CSV are documents of their
    own: a question is mostly about one of them. A passage that begins in a table below its header, or its
    caption, has that behind its path of headings; one of a file without a title, or of a row of CSV, has the
    file's name before it.

    Neighbours under one heading share up to `overlap_tokens` tokens of whole sentences. Every character
    but whitespace is in at least one passage, save a span without any token (zero-width characters),
    which nothing could find; a heading's line opens the first passage under it, and the path of
    headings is in `Passage.heading`. A passage ends at a paragraph's end if that fills at
    least half of it. A passage also has at most 16 characters a token of its budget, which matters
    only for blobs without spaces and for long runs of spaces. Deterministic, in linear time; the
    document is tokenized once.
    """

    def __init__(
        self,
        tokenize: Callable[[Sequence[str]], list[Tokens]],
        *,
        passage_tokens: int = 200,
        overlap_tokens: int = 32,
    ) -> None:
        if passage_tokens < FEWEST_TOKENS or not 0 <= overlap_tokens < passage_tokens:
            raise InvalidChunking(passage_tokens, overlap_tokens)
        self._tokenize = tokenize
        self._budget = Budget(passage_tokens, passage_tokens * CHARACTERS_A_TOKEN)
        self._overlap = Budget(overlap_tokens, overlap_tokens * CHARACTERS_A_TOKEN)

    def split(self, document: Document) -> list[Passage]:
        """The document's passages in order; none if its text has no tokens.

        `passage.text == document.text[passage.start:passage.end]` holds for each.
        """
        text = document.text
        spans = TokenMap.of(text, self._tokenize)
        marked = MarkedText(document.marks)
        return [
            Passage(
                document.id,
                ordinal,
                text[start:end],
                start,
                end,
                document.title,
                heading,
                marked.within(start, end),
            )
            for ordinal, (start, end, heading) in enumerate(self._spans(document, spans))
        ]

    def _spans(self, document: Document, spans: TokenMap) -> Iterator[tuple[int, int, str]]:
        units = layout(document.text, document.marks, partial(self._budget.holds, spans))
        name = _file_topic(document)
        for path, pieces in _sections_in_pieces(document.text, spans, units, self._budget):
            heading = path_line(path, document.title)
            topic = "" if heading.casefold().startswith(name.casefold()) else name
            for start, end in pack(pieces, spans, self._budget, self._overlap):
                if spans.count(start, end):
                    header = units.header_at(start)
                    yield start, end, " > ".join(part for part in (topic, heading, header) if part)


def _file_topic(document: Document) -> str:
    """The name of the file that a document was read from, as words, where its title does not say as much.

    A title of a row is one of its cells. Documents that were posted have no file.
    """
    source = document.metadata.get("source")
    if not isinstance(source, str):
        return ""
    is_row = document.id.startswith(f"{source}#")
    return spoken(source) if is_row or (document.id == source and not document.title) else ""


def _sections_in_pieces(
    text: str, spans: TokenMap, units: Layout, budget: Budget
) -> Iterator[tuple[tuple[str, ...], list[Piece]]]:
    """The pieces of each section. Headings with nothing under them open the section that follows."""
    opening: int | None = None
    path: tuple[str, ...] = ()
    for section in sections(text):
        path = section.path
        start = section.start if opening is None else opening
        pieces = list(_pieces(text, (start, section.body, section.end), spans, units, budget))
        if pieces:
            yield path, pieces
        opening = None if pieces else start
    if opening is not None and (
        rest := list(_pieces(text, (opening, opening, len(text)), spans, units, budget))
    ):
        yield path, rest


def _pieces(
    text: str, section: tuple[int, int, int], spans: TokenMap, units: Layout, budget: Budget
) -> Iterator[Piece]:
    """The pieces of a section: its start, where its heading ends, and its end.

    The heading belongs to the first sentence.
    """
    start, body, end = section
    whole = [unit for unit in units.within(body, end) if budget.holds(spans, *unit)]
    before = start
    for number, (first, last) in enumerate(_sentences_and_units(text, body, end, whole)):
        parts = list(fitting(text, first if number else start, last, spans, budget))
        for part, (first_of_part, last_of_part) in enumerate(parts, 1):
            closes = part == len(parts) and ends_paragraph(text, last_of_part, end)
            opens = units.opens(before, first_of_part)
            before = first_of_part
            yield Piece(first_of_part, last_of_part, len(parts) == 1, closes, opens)


def _sentences_and_units(
    text: str, start: int, end: int, units: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The units, and the sentences of what is between them, in order."""
    for first, last in [*units, (end, end)]:
        yield from ((sentence.start, sentence.end) for sentence in sentences(text, start, first))
        if first < last:
            yield first, last
        start = last


def pack(
    pieces: Sequence[Piece], spans: TokenMap, budget: Budget, overlap: Budget
) -> Iterator[tuple[int, int]]:
    """Joins neighbouring pieces, each of which fits the budget, to spans that still do."""
    first = done = 0
    while done < len(pieces):
        last = done
        while (
            last + 1 < len(pieces)
            and not pieces[last + 1].opens
            and budget.holds(spans, pieces[first].start, pieces[last + 1].end)
        ):
            last += 1
        if last + 1 < len(pieces) and not pieces[last + 1].opens:
            last = _paragraph_end(pieces, first, done, last, spans)
        yield pieces[first].start, pieces[last].end
        done = last + 1
        if done < len(pieces):
            first = _overlap_start(pieces, first, done, spans, budget, overlap)


def _paragraph_end(pieces: Sequence[Piece], first: int, done: int, last: int, spans: TokenMap) -> int:
    """The last piece to take, going back to a paragraph's end if half of the span stays."""
    start = pieces[first].start
    half = spans.count(start, pieces[last].end) / 2
    for number in range(last, done - 1, -1):
        if spans.count(start, pieces[number].end) < half:
            break
        if pieces[number].ends_paragraph:
            return number
    return last


def _overlap_start(
    pieces: Sequence[Piece], first: int, done: int, spans: TokenMap, budget: Budget, overlap: Budget
) -> int:
    """Where the span after `pieces[first:done]` starts: later than it did, by whole sentences."""
    start = done
    while (
        not pieces[start].opens
        and start - 1 > first
        and pieces[start - 1].whole
        and overlap.holds(spans, pieces[start - 1].start, pieces[done - 1].end)
        and budget.holds(spans, pieces[start - 1].start, pieces[done].end)
    ):
        start -= 1
    return start
