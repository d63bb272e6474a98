"""Rows of a table as a file has them, before it is known which of them name columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.documents import Scalar


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number in the file, from 1, and what a reader sees in each cell.

    `values` are the cells' values where the file has them in kinds, with None for an empty cell, else ().
    `spanned` says that one of its cells covers several places, `names` that the file declares the row to name
    columns, `bold` that all of it is set in bold. `notes` are notes on its cells.
    """

    number: int
    cells: Sequence[str]
    values: Sequence[Scalar] = ()
    spanned: bool = False
    names: bool = False
    bold: bool = False
    notes: Sequence[str] = ()

    @property
    def extent(self) -> int:
        """The number of cells up to the last that is not blank."""
        at = len(self.cells)
        while at and not self.cells[at - 1].strip():
            at -= 1
        return at

    def cell(self, at: int) -> str:
        """The text of a cell without outer spaces; "" beyond the last."""
        return self.cells[at].strip() if at < len(self.cells) else ""

    def value(self, at: int) -> Scalar:
        """The value of a cell; None where it is empty, or the file has no kinds."""
        return self.values[at] if at < len(self.values) else None

    def texts(self) -> list[str]:
        """The texts of the cells that are not blank."""
        return [text for text in map(str.strip, self.cells) if text]

    def is_one_line(self) -> bool:
        """Whether it is one text over several columns, which is no value of any of them."""
        texts = self.texts() if self.spanned else []
        return len(texts) > 1 and len(set(texts)) == 1
