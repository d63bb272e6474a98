"""Sheets as they are read from a file: sparse rows of cells, and what was left out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from retrieval.corpus.tables import MOST_CELLS
from retrieval.documents import Scalar
from retrieval.errors import UnreadableDocument


class SheetCell(NamedTuple):
    """What a cell shows, and its value; the value of a text or date is its text."""

    text: str
    value: Scalar


class Span(NamedTuple):
    """A cell that covers several places: its rows and columns, from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class SheetRow:
    """A row's cells by column, from 1, without blank ones.

    `spanned`: one of them covers several places. `names`: the file says that the row names columns. `bold`:
    all of it is set in bold. `notes` are the notes on its cells, each with its column.
    """

    number: int
    cells: dict[int, SheetCell]
    spanned: bool = False
    names: bool = False
    bold: bool = False
    notes: list[tuple[int, str]] = field(default_factory=list)

    def has_one_text(self) -> bool:
        """Whether all that it says is one text, over several places."""
        return self.spanned and len({cell.text for cell in self.cells.values()}) == 1


@dataclass(slots=True)
class Sheet:
    """A sheet: its rows in order, and how much of it is left out or cannot be known."""

    name: str
    rows: list[SheetRow] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: int = 0
    without_value: list[str] = field(default_factory=list)
    loose_notes: int = 0
    text_boxes: bool = False


def fill(name: str, rows: Sequence[SheetRow], spans: Sequence[Span]) -> None:
    """Gives the text of a cell that covers several places to each place in rows that have others.

    Raises UnreadableDocument where that would be over five million cells; `name` is the file's.
    """
    numbers = [row.number for row in rows]
    last = max((max(row.cells, default=0) for row in rows), default=0)
    filled = 0
    for span in spans:
        first = bisect_left(numbers, span.top)
        inside = rows[first : bisect_right(numbers, span.bottom)]
        if not inside or inside[0].number != span.top or span.left not in inside[0].cells:
            continue
        cell = inside[0].cells[span.left]
        columns = range(span.left, min(span.right, last) + 1)
        filled += len(inside) * len(columns)
        if filled > MOST_CELLS:
            raise UnreadableDocument(name, f"has a table of over {MOST_CELLS} cells; split it")
        for row in inside:
            row.spanned = True
            for column in columns:
                row.cells.setdefault(column, cell)


def letters(column: int) -> str:
    """The name of a column, from 1.

    >>> letters(1), letters(28)
    ('A', 'AB')
    """
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def place(reference: str) -> tuple[int, int]:
    """The row and column of a cell's name, such as `B7`; (0, 0) for what is none.

    >>> place("B7"), place("$AB$12"), place("x")
    ((7, 2), (12, 28), (0, 0))
    """
    plain = reference.replace("$", "")
    word = plain.rstrip("0123456789")
    digits = plain[len(word) :]
    column = _column(word)
    return (int(digits), column) if digits and len(digits) < 8 and column else (0, 0)


@lru_cache(maxsize=20_000)
def _column(word: str) -> int:
    if not 0 < len(word) < 4 or not (word.isascii() and word.isalpha()):
        return 0
    column = 0
    for letter in word.upper():
        column = column * 26 + ord(letter) - 64
    return column


def span(reference: str) -> Span | None:
    """The places of a range such as `A1:C3`; None for what is none."""
    first, _, last = reference.partition(":")
    (top, left), (bottom, right) = place(first), place(last or first)
    return Span(top, left, bottom, right) if top and bottom >= top and right >= left else None
