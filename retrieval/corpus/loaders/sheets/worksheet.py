"""One sheet of an XLSX file: what its cells show, without hidden rows and columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.sheets.cells import Sheet, SheetCell, SheetRow, Span, fill, letters, place, span
from retrieval.corpus.loaders.sheets.looks import Look
from retrieval.corpus.loaders.sheets.number_formats import shown_number, shown_text
from retrieval.corpus.loaders.sheets.strings import decoded, elements, rich_text
from retrieval.corpus.loaders.web.inline import Inline, Style
from retrieval.corpus.tables import MOST_CELLS
from retrieval.errors import UnreadableDocument

_TRUE = ("1", "true")
_LAST_COLUMN = 16_384
_LONG = re.compile(r"-?[1-9]\d{15,}")


@dataclass(frozen=True, slots=True)
class Book:
    """What all sheets of a file share: its name, texts and looks, and whether its days begin in 1904."""

    name: str
    strings: Sequence[str]
    looks: Sequence[Look]
    from_1904: bool


def read_worksheet(book: Book, name: str, data: bytes) -> Sheet:
    """The sheet `name` from its part. Raises UnreadableDocument above five million cells."""
    reading = _Reading(book, Sheet(name))
    for node in elements(data, "col", "row", "mergeCell"):
        kind = local(node)
        if kind == "row":
            reading.row(node)
        elif kind == "col":
            reading.column(node)
        elif (covered := span(node.get("ref", ""))) is not None:
            reading.spans.append(covered)
    reading.sheet.rows.sort(key=lambda row: row.number)
    reading.sheet.hidden_columns = len(reading.seen_hidden)
    fill(book.name, reading.sheet.rows, reading.spans)
    for row in reading.sheet.rows if reading.hidden else ():
        row.cells = {at: cell for at, cell in row.cells.items() if not reading.is_hidden(at)}
    return reading.sheet


class _Reading:
    """A sheet while it is read."""

    def __init__(self, book: Book, sheet: Sheet) -> None:
        self.sheet = sheet
        self.spans: list[Span] = []
        self.hidden: list[range] = []
        self.seen_hidden: set[int] = set()
        self._book = book
        self._number = self._cells = 0

    def is_hidden(self, column: int) -> bool:
        return any(column in columns for columns in self.hidden)

    def column(self, node: Any) -> None:
        """Notes columns that are hidden, or have no width."""
        first, last = node.get("min", ""), node.get("max", "")
        without_width = (node.get("width") or "").strip("0.") == "" and node.get("width") is not None
        if (node.get("hidden") in _TRUE or without_width) and first.isdecimal() and last.isdecimal():
            self.hidden.append(range(int(first), min(int(last), _LAST_COLUMN) + 1))

    def row(self, node: Any) -> None:
        """Takes in a row. Files may leave out the numbers of rows and cells that follow each other."""
        number = node.get("r", "")
        self._number = int(number) if number.isdecimal() else self._number + 1
        cells: dict[int, SheetCell] = {}
        column = 0
        bold = True
        for child in node:
            if local(child) != "c":
                continue
            column = place(child.get("r", ""))[1] or column + 1
            look = self._look(child)
            cell = self._cell(child, look, column)
            if cell is not None and cell.text.strip():
                cells[column] = cell
                bold = bold and look.bold
        if not cells:
            return
        if node.get("hidden") in _TRUE or node.get("ht") == "0":
            self.sheet.hidden_rows += 1
            return
        self.seen_hidden.update(at for at in cells if self.hidden and self.is_hidden(at))
        self._cells += len(cells)
        if self._cells > MOST_CELLS:
            raise UnreadableDocument(self._book.name, f"has a table of over {MOST_CELLS} cells; split it")
        self.sheet.rows.append(SheetRow(self._number, cells, bold=bold))

    def _look(self, node: Any) -> Look:
        number = node.get("s") or "0"
        at = int(number) if number.isdecimal() else 0
        return self._book.looks[at] if at < len(self._book.looks) else Look()

    def _cell(self, node: Any, look: Look, column: int) -> SheetCell | None:
        kind = node.get("t") or "n"
        value, formula = None, False
        for child in node:
            name = local(child)
            if name == "v":
                value = child.text
            elif name == "f":
                formula = True
            elif name == "is" and kind == "inlineStr":
                return _of_text(rich_text(child), look)
        if not value:
            if formula and kind != "str":
                self.sheet.without_value.append(f"{letters(column)}{self._number}")
            return None
        if kind == "s":
            at = int(value) if value.strip().isdecimal() else -1
            return _of_text(self._book.strings[at], look) if 0 <= at < len(self._book.strings) else None
        if kind in ("str", "inlineStr"):
            return _of_text(decoded(value), look)
        if kind == "b":
            truth = value.strip() in _TRUE
            return SheetCell("TRUE" if truth else "FALSE", truth)
        if kind == "d":
            return SheetCell(value.replace("T00:00:00", "").replace("T", " "), None)
        return SheetCell(value, None) if kind == "e" else self._of_number(value, look)

    def _of_number(self, value: str, look: Look) -> SheetCell | None:
        try:
            number = float(value)
        except ValueError:
            return _of_text(value, look)
        if not math.isfinite(number):
            return None
        if look.code in ("General", "0", "@") and _LONG.fullmatch(value):
            # An identifier: as a number it would lose its last digits.
            return _of_text(value, look)
        shown = shown_number(number, look.code, from_1904=self._book.from_1904)
        return SheetCell(_struck(shown.text, look), shown.number if look.style is Style.PLAIN else None)


def _of_text(text: str, look: Look) -> SheetCell:
    text = _struck(shown_text(text, look.code), look)
    return SheetCell(text, text)


def _struck(text: str, look: Look) -> str:
    """The text as its font sets it, where that strikes it out."""
    if Style.DELETED not in look.style:
        return text
    line = Inline(())
    line.write(text, Style.DELETED, keep_spaces=True)
    return line.take()
