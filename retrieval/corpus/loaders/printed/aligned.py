"""Tables without lines: rows whose cells stand under the names of columns."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.corpus.blocks import Table
from retrieval.corpus.loaders.printed.lines import Line

_COLUMNS, _ROWS = 3, 2  # the least of a table, without the row of names
_NEAR = 4.0  # points between edges that are meant to be the same
_GAP = 3.0  # of the size, between rows of one table


def table_at(rows: list[list[Line]], start: int) -> tuple[int, Table] | None:
    """The table whose names are the row at `start`, and where it ends; None where there is none.

    Each cell of the rows below is aligned with exactly one name, at its left, its right or its middle. A row
    that is not ends the table; one row at least has all its cells.
    """
    names = rows[start]
    if len(names) < _COLUMNS or any(any(one.isdigit() for one in name.text[:1]) for name in names):
        return None
    cells = list(_cells(names, rows, start + 1))
    if len(cells) < _ROWS or not any(all(row) for row in cells):
        return None
    return start + 1 + len(cells), Table(cells, [name.text.replace("\u00ad", "") for name in names])


def _cells(names: list[Line], rows: list[list[Line]], start: int) -> Iterator[list[str]]:
    for at in range(start, len(rows)):
        row = rows[at]
        if rows[at - 1][0].baseline - row[0].baseline > _GAP * row[0].size:
            return
        columns = [[n for n, name in enumerate(names) if _aligned(name, cell)] for cell in row]
        if any(len(found) != 1 for found in columns):
            return
        placed = {found[0]: cell.text.replace("\u00ad", "") for found, cell in zip(columns, row, strict=True)}
        if len(placed) != len(row) or len(row) < 2:
            return
        yield [placed.get(n, "") for n in range(len(names))]


def _aligned(name: Line, cell: Line) -> bool:
    middles = (name.left + name.right - cell.left - cell.right) / 2
    return min(abs(name.left - cell.left), abs(name.right - cell.right), abs(middles)) <= _NEAR
