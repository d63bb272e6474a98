"""Rows and cells of tables in Word documents, with what each cell spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from retrieval.corpus.blocks import Block
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.loaders.word.markup import child, is_on, kind, value, walk, whole

_MOST_SPAN = 1000
ReadCell: TypeAlias = Callable[[Any], list[Block]]


@dataclass(slots=True)
class Cell:
    """One cell: its element, where it begins, how much it covers, and the colour of its ground."""

    node: Any
    column: int
    columns: int
    blocks: list[Block]
    ground: str
    text: str
    rows: int = 1
    heading: bool = False


@dataclass(slots=True)
class Row:
    """The cells that begin in a row after skipped columns, and whether it is repeated on each page."""

    skipped: int
    cells: list[Cell] = field(default_factory=list)
    repeated: bool = False

    @property
    def filled(self) -> list[Cell]:
        """The cells with text."""
        return [cell for cell in self.cells if cell.text.strip()]

    @property
    def width(self) -> int:
        """How many columns the row covers by its own cells."""
        return self.skipped + sum(cell.columns for cell in self.cells)


def rows_of(table: Any, read: ReadCell) -> list[Row]:
    """The rows of a `w:tbl` that are seen; `read` gives the blocks of a cell.

    A cell over several rows stands in the first of them. Deleted rows and cells are left out.
    """
    rows: list[Row] = []
    above: dict[int, Cell] = {}  # cells that may go on below, by column
    for node in _parts(table, "w:tr"):
        properties = child(node, "w:trPr")
        if child(properties, "w:del") is not None or is_on(child(properties, "w:hidden")):
            continue
        row, going_on = _row(node, above, read)
        if not row.cells and going_on:
            # Every cell goes on from above: there is nothing in this row.
            continue
        for cell in going_on:
            cell.rows += 1
        row.repeated = is_on(child(properties, "w:tblHeader"))
        rows.append(row)
    return rows


def _row(node: Any, above: dict[int, Cell], read: ReadCell) -> tuple[Row, list[Cell]]:
    """A row and the cells from above that go on in it; `above` is then what may go on in the next."""
    before = child(node, "w:trPr", "w:gridBefore")
    column = min(max(whole(value(before), 0), 0), _MOST_SPAN) if before is not None else 0
    row, going_on, below = Row(column), [], {}
    for part in _parts(node, "w:tc"):
        properties = child(part, "w:tcPr")
        if child(properties, "w:cellDel") is not None:
            continue
        columns = _columns(properties)
        merged = child(properties, "w:vMerge")
        origin = above.get(column) if _goes_on(merged) else None
        if _goes_on(child(properties, "w:hMerge")) and row.cells:
            row.cells[-1].columns += columns
        elif origin is not None and origin.columns == columns and origin.rows < _MOST_SPAN:
            going_on.append(origin)
            below[column] = origin
        else:
            same = origin is not None and origin.columns == columns
            cell = replace(origin, rows=1) if origin and same else _cell(part, column, columns, read)
            row.cells.append(cell)
            if merged is not None:
                below[column] = cell
        column += columns
    above.clear()
    above.update(below)
    return row, going_on


def _columns(properties: Any | None) -> int:
    span = child(properties, "w:gridSpan")
    return min(max(whole(value(span), 1), 1), _MOST_SPAN + 1) if span is not None else 1


def _goes_on(merged: Any | None) -> bool:
    return merged is not None and value(merged) != "restart"


def _cell(node: Any, column: int, columns: int, read: ReadCell) -> Cell:
    blocks = read(node)
    shading = child(node, "w:tcPr", "w:shd")
    ground = value(shading, "fill").lower() if shading is not None else ""
    return Cell(
        node, column, columns, blocks, "" if ground in ("auto", "ffffff") else ground, cell_text(blocks)
    )


def _parts(node: Any, name: str) -> Iterator[Any]:
    """The rows of a table or the cells of a row, also those in content controls."""
    return (one for one in walk(node, frozenset([name, "w:tbl", "w:p"])) if kind(one) == name)
