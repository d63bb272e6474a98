"""Tables as grids: spans are resolved, so that each value stands under its own heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.corpus.blocks import Table
from retrieval.errors import UnreadableDocument

MOST_COLUMNS = 1000
MOST_CELLS = 5_000_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as a file has it: its text, the rows and columns it covers, and whether it is a heading."""

    text: str
    rows: int = 1
    columns: int = 1
    heading: bool = False


def table_of(name: str, rows: Sequence[Sequence[Cell]], *, caption: str = "") -> Table:
    """The table of the cells in `rows`, from top and left; `name` is the file's, for errors.

    A cell that covers several rows or columns gives its text to each place. Leading rows of headings name
    the columns: of several such rows, a column's name is their different texts in order ("2024 revenue").
    Without a row of headings the columns have no names. Raises UnreadableDocument above 1,000 columns or
    five million cells.

    >>> rows = [[Cell("City", heading=True), Cell("Spring", heading=True)], [Cell("Oslo"), Cell("")]]
    >>> table = table_of("a.html", rows)
    >>> table.names, table.rows
    (('City', 'Spring'), (('Oslo', ''),))
    """
    grid = _grid(name, rows)
    headings = 0
    while headings < len(rows) and _names_columns(rows[headings]):
        headings += 1
    if headings == len(rows):
        # Headings alone name nothing: they are the content.
        headings = 0
    names = tuple(_joined(column) for column in zip(*grid[:headings], strict=True))
    return Table(tuple(map(tuple, grid[headings:])), names if any(names) else (), " ".join(caption.split()))


def _names_columns(row: Sequence[Cell]) -> bool:
    named = [cell.heading for cell in row if cell.text.strip()]
    return bool(named) and all(named)


def _joined(texts: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(text for text in (" ".join(text.split()) for text in texts) if text))


def _grid(name: str, rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """The text of each place; a row that a cell from above fills keeps that cell's place."""
    taken: dict[tuple[int, int], str] = {}
    width = cells = 0
    for at, row in enumerate(rows):
        column = 0
        for cell in row:
            while (at, column) in taken:
                column += 1
            down = min(max(1, cell.rows), len(rows) - at)
            across = max(1, cell.columns)
            width = max(width, column + across)
            cells += down * across
            if width > MOST_COLUMNS or cells > MOST_CELLS:
                raise UnreadableDocument(
                    name,
                    f"has a table of over {MOST_COLUMNS} columns or {MOST_CELLS} cells; split it",
                )
            for below in range(down):
                for beside in range(across):
                    taken.setdefault((at + below, column + beside), cell.text)
            column += across
    if width * len(rows) > MOST_CELLS:
        raise UnreadableDocument(name, f"has a table of over {MOST_CELLS} cells; split it")
    return [[taken.get((at, column), "") for column in range(width)] for at in range(len(rows))]
