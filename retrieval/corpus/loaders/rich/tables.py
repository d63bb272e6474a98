"""Tables of RTF files: cells are placed by where their right edges stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval.corpus.blocks import Block, Note
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.tables import MOST_COLUMNS, Cell, tables_of

# Edges of two rows that are so near (twips, a twentieth of a point) are the same.
_SAME_EDGE = 20


@dataclass(slots=True)
class Edge:
    """The right edge of a cell; whether it goes on from the cell at its left, or from the one above it."""

    at: int = 0
    goes_on_left: bool = False
    goes_on_above: bool = False


@dataclass(slots=True)
class Row:
    """A row: its cells' edges as they are defined, and what stands in each."""

    edges: list[Edge] = field(default_factory=list)
    heading: bool = False
    cells: list[list[Block]] = field(default_factory=list)


def table_blocks(name: str, rows: Sequence[Row]) -> list[Block]:
    """The table of rows, and the notes of its cells after it; `name` is the file's, for errors."""
    notes: list[Block] = []
    for row in rows:
        notes += [block for cell in row.cells for block in cell if isinstance(block, Note)]
    borders = _borders(rows)
    above: dict[int, str] = {}
    grid = []
    for row in rows:
        placed = list(_placed(row, borders, above))
        above = {start: cell.text for start, cell in placed}
        grid.append([cell for _, cell in placed])
    tables = tables_of(name, grid)
    seen = any(table.names or table.caption or any(map(any, table.rows)) for table in tables)
    return [*tables, *notes] if seen else notes


def _borders(rows: Sequence[Row]) -> list[int]:
    """Where columns end, in all rows."""
    found: list[int] = []
    for at in sorted({edge.at for row in rows for edge in row.edges}):
        if not found or at - found[-1] > _SAME_EDGE:
            found.append(at)
    return found[: MOST_COLUMNS + 1]


def _placed(row: Row, borders: Sequence[int], above: dict[int, str]) -> list[tuple[int, Cell]]:
    """The cells of a row with the number of the column where each begins."""
    cells = [[block for block in cell if not isinstance(block, Note)] for cell in row.cells]
    texts = [cell_text(cell) for cell in cells]
    placed: list[tuple[int, Cell]] = []
    column = 0
    for number, text in enumerate(texts):
        edge = row.edges[number] if number < len(row.edges) else None
        if edge is None:
            placed.append((column, Cell(text, heading=row.heading)))
            column += 1
            continue
        end = sum(border <= edge.at + _SAME_EDGE for border in borders)
        if edge.goes_on_left and placed:
            start, before = placed.pop()
            words = f"{before.text} {text}".strip()
        else:
            start, words = column, above.get(column, "") if edge.goes_on_above and not text else text
        column = max(end, column + (not edge.goes_on_left))
        placed.append((start, Cell(words, columns=max(1, column - start), heading=row.heading)))
    return placed
