"""Rows of a page in reading order: columns one after the other, lines as paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean, median

from retrieval.corpus.blocks import Paragraph, Table
from retrieval.corpus.loaders.printed.aligned import table_at
from retrieval.corpus.loaders.printed.lines import Line

_MOST_ROWS = 300  # of a page, for columns: comparing them grows by the square
_GUTTER = 0.8  # of the size
_COLUMN_LINES, _COLUMN_LETTERS, _COLUMN_WORDS, _COLUMN_FILLED = 2, 12, 3, 0.45
_ACROSS = 0.7  # of the width: rows that no gutter parts
_NEW_PARAGRAPH = 1.35  # of the usual distance of lines
_FILLED = 0.75  # of the width: the next line continues this one
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")

Row = list[Line]


def blocks(rows: list[Row]) -> list[Paragraph | Table]:
    """The paragraphs and tables of a page. A word parted by a hyphen at a line end is joined.

    The hyphen goes if the word goes on in lower case, and stays before a capital letter: `X-Ray`.
    """
    found: list[Paragraph | Table] = []
    for column in columns(rows):
        for part in _with_tables(column):
            last = found[-1] if found else None
            if isinstance(part, Table):
                found.append(part)
            elif isinstance(last, Paragraph) and _parted(last.text, part):
                found[-1] = Paragraph(_joined(last.text, part, filled=True))
            else:
                found.append(Paragraph(part))
    return [Paragraph(one.text.replace("\u00ad", "")) if isinstance(one, Paragraph) else one for one in found]


def _with_tables(rows: list[Row]) -> Iterator[str | Table]:
    plain: list[Row] = []
    at = 0
    while at < len(rows):
        found = table_at(rows, at)
        if found is None:
            plain.append(rows[at])
            at += 1
            continue
        if plain:
            yield from _paragraphs(plain)
            plain = []
        at, table = found
        yield table
    if plain:
        yield from _paragraphs(plain)


def columns(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows that are read together, in reading order.

    Rows share a gutter that none of them crosses, with running text on both sides: cells of a table are
    short.
    """
    single: list[Row] = []
    at = 0
    while at < len(rows):
        found = _widest(rows, at) if len(rows) <= _MOST_ROWS else None
        if found is None:
            single.append(rows[at])
            at += 1
            continue
        if single:
            yield single
            single = []
        at, left, right = found
        yield from columns(left)
        yield from columns(right)
    if single:
        yield single


def _widest(rows: list[Row], start: int) -> tuple[int, list[Row], list[Row]] | None:
    """The longest run of rows from `start` with a gutter: its end, and both sides.

    A gutter is examined once, where a row closes it: tables have many.
    """
    best = None
    covered: list[tuple[float, float]] = []
    open_gutters: list[tuple[float, float]] = []
    for end in range(start, len(rows) + 1):
        now: list[tuple[float, float]] = []
        if end < len(rows):
            covered = _union([*covered, *((line.left, line.right) for line in rows[end])])
            least = _GUTTER * rows[end][0].size
            now = [(a, b) for (_, a), (b, _) in pairwise(covered) if b - a >= least]
        for gutter in open_gutters:
            if any(gutter[0] <= a and b <= gutter[1] for a, b in now) or (best and best[0] == end):
                continue
            left, right = _sides(rows[start:end], sum(gutter) / 2)
            if _is_column(left) and _is_column(right):
                best = (end, left, right)
        if len(covered) == 1 and covered[0][1] - covered[0][0] > _ACROSS * _width(rows):
            break
        open_gutters = now
    return best


def _width(rows: list[Row]) -> float:
    return max(row[-1].right for row in rows) - min(row[0].left for row in rows)


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if joined and left <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(right, joined[-1][1]))
        else:
            joined.append((left, right))
    return joined


def _sides(rows: list[Row], gutter: float) -> tuple[list[Row], list[Row]]:
    left = [part for row in rows if (part := [line for line in row if line.right <= gutter])]
    right = [part for row in rows if (part := [line for line in row if line.left >= gutter])]
    return left, right


def _is_column(rows: list[Row]) -> bool:
    lines = [line for row in rows for line in row]
    if len(rows) < _COLUMN_LINES:
        return False
    width = max(line.right for line in lines) - min(line.left for line in lines)
    return (
        fmean(len(line.text) for line in lines) >= _COLUMN_LETTERS
        and fmean(len(line.text.split()) for line in lines) >= _COLUMN_WORDS
        and fmean(line.right - line.left for line in lines) >= _COLUMN_FILLED * width
    )


def _paragraphs(rows: list[Row]) -> Iterator[str]:
    gaps = [above[0].baseline - below[0].baseline for above, below in pairwise(rows)]
    usual = median(sorted(gaps)[: len(gaps) // 2 + 1]) if gaps else 0.0
    width = _width(rows)
    left = min(row[0].left for row in rows)
    text = ""
    for at, row in enumerate(rows):
        line = " ".join(part.text for part in row)
        if at and _begins(rows[at - 1], row, usual):
            yield text
            text = line
        elif at:
            filled = rows[at - 1][-1].right - left >= _FILLED * width and len(rows[at - 1]) == len(row) == 1
            text = _joined(text, line, filled=filled)
        else:
            text = line
    yield text


def _begins(above: Row, row: Row, usual: float) -> bool:
    gap = above[0].baseline - row[0].baseline
    size = max(line.size for line in row)
    before = max(line.size for line in above)
    near = gap <= _NEW_PARAGRAPH * usual and gap <= 2.2 * size
    return not near or not 0.85 <= size / before <= 1.18


def _parted(text: str, following: str) -> bool:
    return bool(_HYPHEN.search(text)) and following[:1].islower()


def _joined(text: str, line: str, *, filled: bool) -> str:
    if _parted(text, line):
        return text[:-1] + line
    if _HYPHEN.search(text) and line[:1].isupper():
        return text + line
    return f"{text}{' ' if filled else chr(10)}{line}"
