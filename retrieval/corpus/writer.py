"""Writes blocks as a document's text, with the spans of its pages and rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, PageStart, Paragraph, Table
from retrieval.corpus.characters import clean
from retrieval.documents import Mark

_SPACES = re.compile(r"\s+")
# Numbers below each other in a cell, which would look like one with a space in it: "5" and "300".
_NUMBERS = re.compile(r"(?<=[\d%€$£])[ \t]*[\r\n]\s*(?=[-+−(]?[€$£]?\d)")
_BACKTICKS = re.compile(r"`{3,}")
_LIKE_A_HEADING = re.compile(r"^ {0,3}#{1,6}(?=\s)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """A document's text, and where its pages and table rows are in it."""

    text: str
    marks: tuple[Mark, ...]


def write(blocks: Iterable[Block]) -> Written:
    r"""The text of blocks, one form for each kind, parted by blank lines; items and rows by line ends.

    A heading is a `#` line, an item has its marker, code stands between fences, a note is `[mark] text`. A
    row of a table is a line `name: value; name: value` without its empty cells, or `value | value` with all
    of them where the columns have no names. Blocks without text leave nothing.

    >>> write([Heading("Prices", 2), Table([["PPR-9087", "", "19.25"]], ["sku", "name", "price"])]).text
    '## Prices\n\nsku: PPR-9087; price: 19.25'
    """
    writing = _Writing()
    for block in blocks:
        writing.add(block)
    return writing.written()


def row_text(names: Sequence[str], cells: Sequence[str]) -> str:
    """A table's row as one line of text; "" for a row without a value.

    >>> row_text(["sku", "price"], ["PPR-9087", "19.25"]), row_text([], ["Oslo", "", "5"])
    ('sku: PPR-9087; price: 19.25', 'Oslo |  | 5')
    """
    values = [_one_line(_NUMBERS.sub(" / ", cell)) for cell in cells]
    if not any(values):
        return ""
    if not names:
        return " | ".join(values).rstrip()
    parts = (
        f"{name}: {value}" if name else value
        for name, value in zip(map(_one_line, names), values, strict=True)
        if value
    )
    return "; ".join(parts)


class _Writing:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._rows: list[Mark] = []
        self._pages: list[tuple[int, int]] = []  # number of the page, where it starts
        self._previous: type | None = None

    def add(self, block: Block) -> None:
        if isinstance(block, PageStart):
            self._pages.append((block.number, self._length))
        elif isinstance(block, Table):
            self._add_table(block)
        else:
            text = _form(block)
            if text:
                joined = isinstance(block, Item) and self._previous is Item
                self._append(text, "\n" if joined else "\n\n")
                self._previous = type(block)

    def written(self) -> Written:
        text = "".join(self._parts)
        return Written(
            text, tuple(sorted([*self._page_marks(text), *self._rows], key=lambda mark: mark.start))
        )

    def _append(self, text: str, gap: str) -> tuple[int, int]:
        if self._parts:
            self._parts.append(gap)
            self._length += len(gap)
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start, self._length

    def _add_table(self, table: Table) -> None:
        if caption := _one_line(table.caption):
            self._append(caption, "\n\n")
            self._previous = Paragraph
        gap = "\n\n"
        for number, cells in enumerate(table.rows, table.first):
            if text := row_text(table.names, cells):
                start, end = self._append(text, gap)
                self._rows.append(Mark("row", number, start, end))
                self._previous, gap = Table, "\n"

    def _page_marks(self, text: str) -> Iterator[Mark]:
        for at, (number, start) in enumerate(self._pages):
            end = self._pages[at + 1][1] if at + 1 < len(self._pages) else len(text)
            first = start + len(text[start:end]) - len(text[start:end].lstrip())
            if first < end:
                yield Mark("page", number, first, end)


def _form(block: Heading | Paragraph | Item | Code | Note) -> str:
    if isinstance(block, Code):
        return _fenced(block)
    if isinstance(block, Paragraph):
        lines = (_one_line(line) for line in clean(block.text).split("\n"))
        return _LIKE_A_HEADING.sub(_escaped, "\n".join(line for line in lines if line))
    text = _one_line(block.text)
    if not text:
        return ""
    if isinstance(block, Heading):
        return f"{'#' * min(max(block.level, 1), 6)} {text}"
    if isinstance(block, Item):
        return f"{'  ' * block.depth}{block.marker} {text}"
    return f"[{_one_line(block.mark)}] {text}"


def _escaped(mark: re.Match[str]) -> str:
    """A paragraph that begins as a heading does is none: the mark is escaped as in Markdown."""
    return mark[0].replace("#", "\\#", 1)


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", clean(text)).strip()


def _fenced(code: Code) -> str:
    body = clean(code.text).rstrip().strip("\n")
    if not body.strip():
        return ""
    longest = max((len(run) for run in _BACKTICKS.findall(body)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{_one_line(code.language)}\n{body}\n{fence}"
