"""Spans of a text that read badly in halves: table rows, list items, code."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from retrieval.corpus.headings import fenced
from retrieval.documents import Mark

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]+|(?<=\n)(?=\n)|(?<=\r\n)(?=\r\n)")
_ITEM = re.compile(r"\s*(?:[-*+•‣]|\d{1,4}[.)]|[A-Za-z][.)])[ \t]+\S")
_RULE = re.compile(r"\s*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*\|?[ \t]*$")
_INDENTED = re.compile(r"[ \t}\])]")
_NO_CAPTION = re.compile(r"\s*(?:[#|>\[]|`{3}|~{3})")
HEADER_CHARACTERS = 160
CAPTION_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class NamedRows:
    """Rows below a line that names them: a Markdown table's below its header, others below a caption."""

    start: int
    end: int
    header: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The units of a text, in order and apart from each other, and the rows that a line above them names.

    `openings` are places where a passage begins: each row of a table that is too long for one passage, and
    what follows the table.
    """

    units: list[Span]
    tables: list[NamedRows]
    openings: list[int]

    def within(self, start: int, end: int) -> list[Span]:
        """The units that lie in a half-open span."""
        first = bisect_left(self.units, start, key=lambda unit: unit[0])
        return [unit for unit in self.units[first : bisect_left(self.units, (end, end))] if unit[1] <= end]

    def header_at(self, position: int) -> str:
        """The line that names the row at the position, where it is below its table's first line; else ""."""
        at = bisect_right(self.tables, position, key=lambda table: table.start) - 1
        return self.tables[at].header if at >= 0 and position < self.tables[at].end else ""

    def opens(self, after: int, position: int) -> bool:
        """Whether a passage begins behind one place and up to another, both starts of what is packed."""
        return bisect_right(self.openings, after) < bisect_right(self.openings, position)


def layout(text: str, marks: Sequence[Mark], fits: Callable[[int, int], bool]) -> Layout:
    """The units of a text: rows by their marks, and what its lines show to be rows, items or code.

    The caption of a table that does not fit a passage belongs to its first row. Code that does not fit comes
    in parts: at blank lines before an unindented line, else at blank lines. Everything else that does not
    fit is still one unit.
    """
    rows = [(mark.start, mark.end) for mark in marks if mark.kind == "row"]
    long = [_long_table(text, run) for run in _runs(text, rows) if not fits(run[0][0], run[-1][1])]
    lines = [(found.start(), found.end()) for found in _LINE.finditer(text)]
    inside = fenced([text[start:end] for start, end in lines])
    found: list[Span] = [*rows, *(one.first for one in long)]
    taken = {start for start, _ in rows}
    tables: list[NamedRows] = [one.named for one in long if one.named]
    at = 0
    while at < len(lines):
        start, _ = lines[at]
        if inside[at]:
            stop = _run(at, len(lines), lambda number: inside[number])
            found.extend(_code(text, lines[at:stop], fits))
        elif text[start : start + 1] == "|" and start not in taken:
            stop = _run(at, len(lines), lambda number: text.startswith("|", lines[number][0]))
            found.extend(lines[at:stop])
            if stop - at > 2 and _RULE.fullmatch(text[slice(*lines[at + 1])]):
                tables.append(
                    NamedRows(lines[at + 2][0], lines[stop - 1][1], _header(text[slice(*lines[at])]))
                )
        elif start not in taken and _ITEM.match(text, start, lines[at][1]):
            stop = _run(at + 1, len(lines), lambda number: _continues(text, lines[number], inside[number]))
            found.append((start, lines[stop - 1][1]))
        else:
            stop = at + 1
        at = stop
    openings = sorted(place for one in long for place in one.openings)
    return Layout(list(_apart(found)), sorted(tables, key=lambda rows: rows.start), openings)


@dataclass(frozen=True, slots=True)
class _LongTable:
    """A table that no passage holds: its first row with the caption, and where passages begin."""

    first: Span
    named: NamedRows | None
    openings: list[int]


def _long_table(text: str, rows: Sequence[Span]) -> _LongTable:
    caption = _caption(text, rows[0][0])
    start = caption[0] if caption else rows[0][0]
    named = NamedRows(rows[0][1], rows[-1][1], text[slice(*caption)]) if caption and rows[1:] else None
    return _LongTable((start, rows[0][1]), named, [start, *(row[0] for row in rows[1:]), rows[-1][1]])


def _runs(text: str, rows: Sequence[Span]) -> Iterator[list[Span]]:
    """The rows of each table: they follow one another line by line."""
    run: list[Span] = []
    for row in rows:
        if run and text[run[-1][1] : row[0]] != "\n":
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _caption(text: str, table: int) -> Span | None:
    """A short line by itself right above a table."""
    end = len(text[:table].rstrip())
    start = text.rfind("\n", 0, end) + 1
    alone = not text[:start].strip() or text[:start].endswith("\n\n")
    line = text[start:end]
    fits = 0 < len(line) <= CAPTION_CHARACTERS and alone
    return (start, end) if fits and not _NO_CAPTION.match(line) and not _ITEM.match(line) else None


def _run(first: int, end: int, belongs: Callable[[int], bool]) -> int:
    while first < end and belongs(first):
        first += 1
    return first


def _continues(text: str, line: Span, in_code: bool) -> bool:
    """Whether a line goes on with the list item above it: no blank line, no item, no row, no heading."""
    words = text[line[0] : line[1]]
    return bool(words.strip()) and not in_code and not _ITEM.match(words) and words.lstrip()[0] not in "|#>"


def _code(text: str, lines: Sequence[Span], fits: Callable[[int, int], bool]) -> Iterator[Span]:
    whole = (lines[0][0], lines[-1][1])
    if fits(*whole):
        yield whole
        return
    for part in _parts(text, lines, top=True):
        if fits(part[0][0], part[-1][1]):
            yield part[0][0], part[-1][1]
        else:
            for smaller in _parts(text, part, top=False):
                if fits(smaller[0][0], smaller[-1][1]):
                    yield smaller[0][0], smaller[-1][1]
                else:
                    yield from (line for line in smaller if text[slice(*line)].strip())


def _parts(text: str, lines: Sequence[Span], *, top: bool) -> Iterator[list[Span]]:
    """Lines of code in parts that are parted by blank lines; with `top` only before unindented ones."""
    part: list[Span] = []
    blank = False
    for line in lines:
        words = text[slice(*line)]
        if not words.strip():
            blank = True
            continue
        if part and blank and not (top and _INDENTED.match(words)):
            yield part
            part = []
        part.append(line)
        blank = False
    if part:
        yield part


def _header(line: str) -> str:
    cells = (" ".join(cell.split()) for cell in line.strip().strip("|").split("|"))
    header = " | ".join(cell for cell in cells if cell)
    return header if len(header) <= HEADER_CHARACTERS else header[: HEADER_CHARACTERS - 1].rstrip() + "…"


def _apart(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans without those that begin inside an earlier one."""
    end = -1
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[0] >= end and span[1] > span[0]:
            yield span
            end = span[1]
