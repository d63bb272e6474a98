"""Tables without lines: rows whose cells stand below each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from retrieval.corpus.blocks import Table
from retrieval.corpus.loaders.printed.lines import Line

_COLUMNS, _ROWS = 3, 3  # the least of a table, with the row of names
_FILLED = 0.5  # of the cells
_WORDS = 4.0  # in a cell, on average
_GAP = 3.0  # of the size, between rows of one table
_MARGIN = 0.15  # of the size, on each side of a cell
_MIDDLE = 2.5  # columns whose cells begin with numbers are named by text

_Spans = list[tuple[float, float]]


def table_at(rows: Sequence[Sequence[Line]], start: int) -> tuple[int, Table] | None:
    """The table that begins with the row at `start`, and where it ends; None where there is none.

    Its columns are the stretches that the cells of all its rows take together. The first row names them if
    none of its cells is a number, cells below are, and it has a name for each column, but for the first.
    """
    end, columns = _grown(rows, start)
    if end - start < _ROWS or len(columns) < _COLUMNS:
        return None
    cells = [_placed(row, columns) for row in rows[start:end]]
    filled = [cell for row in cells for cell in row if cell]
    if len(filled) < _FILLED * len(cells) * len(columns) or not any(all(row[1:]) for row in cells[1:]):
        return None
    if fmean(len(cell.split()) for cell in filled) > _WORDS:
        return None
    if not _goes_on(rows, start) and _are_names(cells):
        return end, Table(cells[1:], cells[0])
    return (end, Table(cells)) if _is_list_of_numbers(cells) else None


def _goes_on(rows: Sequence[Sequence[Line]], start: int) -> bool:
    """Whether cells stand right above the first row: then it may be a row among others."""
    return start > 0 and len(rows[start - 1]) > 1 and not _far(rows[start - 1], rows[start])


def _grown(rows: Sequence[Sequence[Line]], start: int) -> tuple[int, _Spans]:
    columns: _Spans = []
    at = start
    while at < len(rows):
        row = rows[at]
        if len(row) < 2 or (at > start and _far(rows[at - 1], row)):
            break
        spans = [(line.left - _MARGIN * line.size, line.right + _MARGIN * line.size) for line in row]
        grown = _union([*columns, *spans])
        if len(grown) < _COLUMNS - (at == start) or _bridges(columns, spans):
            break
        columns = grown
        at += 1
    return at, columns


def _far(above: Sequence[Line], below: Sequence[Line]) -> bool:
    return above[0].baseline - below[0].baseline > _GAP * below[0].size


def _bridges(columns: _Spans, spans: _Spans) -> bool:
    """Whether a cell lies across two columns."""
    return any(sum(left < b and a < right for a, b in columns) > 1 for left, right in spans)


def _union(spans: _Spans) -> _Spans:
    joined: _Spans = []
    for left, right in sorted(spans):
        if joined and left <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(right, joined[-1][1]))
        else:
            joined.append((left, right))
    return joined


def _placed(row: Sequence[Line], columns: _Spans) -> list[str]:
    cells: list[list[str]] = [[] for _ in columns]
    for line in row:
        middle = (line.left + line.right) / 2
        at = next(n for n, (left, right) in enumerate(columns) if left <= middle <= right)
        cells[at].append(line.text.replace("\u00ad", ""))
    return [" ".join(cell) for cell in cells]


def _are_names(cells: list[list[str]]) -> bool:
    names, body = cells[0], cells[1:]
    if any(_is_number(name) for name in names) or not all(names[1:]) or len(set(names)) < len(names):
        return False
    return any(_is_number(cell) for row in body for cell in row)


def _is_list_of_numbers(cells: list[list[str]]) -> bool:
    filled = [cell for row in cells for cell in row if cell]
    return sum(map(_is_number, filled)) >= len(filled) / _MIDDLE


def _is_number(cell: str) -> bool:
    return any(one.isdigit() for one in cell.lstrip("$€£¥+-−–(< ")[:1])


def levelled(rows: Sequence[list[Line]]) -> list[list[Line]]:
    """Rows whose cells do not stand on quite one line, as one row."""
    found: list[list[Line]] = []
    for row in rows:
        last = found[-1] if found else None
        if last and _one_row(last, row):
            found[-1] = sorted([*last, *row], key=lambda line: line.left)
        else:
            found.append(row)
    return found


def _one_row(above: list[Line], below: list[Line]) -> bool:
    if len(above) + len(below) < _COLUMNS:
        return False
    size = min(line.size for line in (*above, *below))
    near = max(line.baseline for line in above) - min(line.baseline for line in below) < 0.8 * size
    lines = sorted([*above, *below], key=lambda line: line.left)
    return near and all(one.right <= other.left for one, other in pairwise(lines))
