"""Tables as grids: spans are resolved, so that each value stands under its own heading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.corpus.blocks import Table
from retrieval.errors import UnreadableDocument

MOST_COLUMNS = 1000
MOST_CELLS = 5_000_000
_LONGEST_SECTION = 100
_SUM = re.compile(
    r"\W*(?:grand |sub-?)?(?:total|sum|overall|all|gesamt|summe|insgesamt|"
    r"totale|suma|somme|totaal|i alt|totalt|итого|всего|合计|合計)",
    re.IGNORECASE,
)


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
    return _table(grid[:headings], grid[headings:], caption)


def tables_of(name: str, rows: Sequence[Sequence[Cell]], *, caption: str = "") -> list[Table]:
    """The same, as several tables where rows below the first name the columns anew, or name a part of it.

    A row of one cell over the whole width is a value of no column. It names the part of the table below it,
    and stands first in each of its rows, if it is a short heading, or the first row below the names of
    columns is such a one; else it is a line between rows. Rows are counted on.

    >>> rows = [[Cell("City", heading=True), Cell("Days", heading=True)], [Cell("Asia", columns=2)],
    ...         [Cell("Tokyo"), Cell("3")]]
    >>> [(table.names, table.rows) for table in tables_of("a.html", rows)]
    [(('', 'City', 'Days'), (('Asia', 'Tokyo', '3'),))]
    """
    rows = _with_names_below_groups(name, rows)
    width = max((sum(max(1, cell.columns) for cell in row) for row in rows if len(row) > 1), default=0)
    across = [_across(row, width) for row in rows]
    title = 0
    while title < len(rows) and across[title]:
        title += 1
    leading = title
    while leading < len(rows) and not across[leading] and _names_columns(rows[leading]):
        leading += 1
    anew = _is_title_alone(rows, across, leading) or any(
        across[at] or _renames(rows, at) for at in range(leading, len(rows))
    )
    if width < 2 or not anew or all(across[leading:]):
        return [table_of(name, rows, caption=caption)]
    rows = [[replace(row[0], columns=width)] if text else row for row, text in zip(rows, across, strict=True)]
    return _Parts(rows, _grid(name, rows), across).tables(caption)


def _with_names_below_groups(name: str, rows: Sequence[Sequence[Cell]]) -> Sequence[Sequence[Cell]]:
    """The rows; that below a heading over several columns is one, too, if it tells them apart in words."""
    at = 0
    while at < len(rows) and _names_columns(rows[at]):
        at += 1
    if not 0 < at < len(rows) - 1 or not any(cell.columns > 1 for cell in rows[at - 1]):
        return rows
    above, below, first = _grid(name, rows[: at + 2])[at - 1 : at + 2]
    grouped = [place for place in range(len(above)) if above.count(above[place]) > 1 and above[place]]
    texts = [below[place].strip() for place in grouped]
    others = [
        below[place] for place in range(len(below)) if place not in grouped and below[place] != above[place]
    ]
    if len(grouped) == len(above) or not all(texts) or "".join(others).strip():
        return rows
    pairs = {(above[place], below[place]) for place in grouped}
    if (
        len(pairs) < len(grouped)
        or any(map(_has_digit, texts))
        or not any(_has_digit(first[at]) for at in grouped)
    ):
        return rows
    heads = [replace(cell, heading=True) for cell in rows[at]]
    return [*rows[:at], heads, *rows[at + 1 :]]


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


class _Parts:
    """A table whose columns are named anew, or that has parts with names, from top to bottom."""

    def __init__(
        self, rows: Sequence[Sequence[Cell]], grid: Sequence[list[str]], across: Sequence[str]
    ) -> None:
        self._rows = rows
        self._grid = grid
        self._across = across
        self._names: list[list[str]] = []
        self._body: list[list[str]] = []
        self._section = ""
        self._parted = False
        self._counted = 0
        self._found: list[Table] = []

    def tables(self, caption: str) -> list[Table]:
        """The tables, the first with the caption of all."""
        for at in range(len(self._rows)):
            if self._across[at]:
                self._end()
                self._take_across(at)
            elif _names_columns(self._rows[at]) and (at == 0 or self._begins(at)):
                self._end()
                if not self._is_below_names(at):
                    self._names = []
                self._names.append(self._grid[at])
            else:
                self._body.append(self._grid[at])
        self._end()
        caption = " ".join(caption.split())
        if caption:
            self._found.insert(0, Table((), (), caption))
        return self._found

    def _begins(self, at: int) -> bool:
        return _renames(self._rows, at) or self._is_below_names(at) or bool(self._across[at - 1])

    def _is_below_names(self, at: int) -> bool:
        return (
            at > 0
            and not self._across[at - 1]
            and bool(self._names)
            and self._grid[at - 1] is self._names[-1]
        )

    def _take_across(self, at: int) -> None:
        text = self._across[at]
        below = at + 1 < len(self._rows) and not self._across[at + 1]
        self._parted = self._parted or (bool(self._names) and not self._found)
        names_part = self._parted or self._rows[at][0].heading
        if below and names_part and len(text) <= _LONGEST_SECTION:
            self._section = text
        else:
            self._found.append(Table((), (), text))

    def _end(self) -> None:
        """Writes the rows since the last names or part."""
        if not self._body:
            return
        named = bool(self._names)
        rows = (
            [[_part_of(row, self._section), *row] for row in self._body]
            if self._section and named
            else self._body
        )
        names = [["", *row] for row in self._names] if self._section else self._names
        caption = "" if named else self._section
        table = _table(names, rows, caption)
        self._found.append(replace(table, first=self._counted + 1))
        self._counted += len(rows)
        self._body = []


def _part_of(row: Sequence[str], section: str) -> str:
    """The part of the table that a row is in; "" for a sum, which may be that of all parts."""
    first = next(filter(str.strip, row), "")
    return "" if _SUM.match(first) else section


def _across(row: Sequence[Cell], width: int) -> str:
    """The text of a row that is one cell over the whole width of a table of several columns, else ""."""
    alone = len(row) == 1 and width > 1 and row[0].columns >= width and row[0].rows <= 1
    return " ".join(row[0].text.split()) if alone else ""


def _is_title_alone(rows: Sequence[Sequence[Cell]], across: Sequence[str], leading: int) -> bool:
    """Whether the only heading of a table is one over its whole width: it names no column."""
    return leading == 1 and bool(across[0]) and rows[0][0].heading


def _renames(rows: Sequence[Sequence[Cell]], at: int) -> bool:
    """Whether a row below others names the columns of the next: two headings or more, above a value."""
    row = rows[at]
    named = sum(bool(cell.text.strip()) for cell in row)
    if named < 2 or not _names_columns(row):
        return False
    after = next((one for one in rows[at + 1 :] if not _names_columns(one)), None)
    return after is not None and len(after) > 1


def _table(names: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], caption: str) -> Table:
    joined = tuple(_joined(column) for column in zip(*names, strict=True))
    return Table(tuple(map(tuple, rows)), joined if any(joined) else (), " ".join(caption.split()))


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
