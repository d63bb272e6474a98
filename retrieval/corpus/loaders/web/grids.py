"""Tables of a page while they are read: data becomes a grid, layout becomes the blocks of its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, PageStart, Table
from retrieval.corpus.loaders.web.images import is_file_name
from retrieval.corpus.tables import Cell, tables_of
from retrieval.corpus.writer import row_text

_SPAN = re.compile(r"\s*\d{1,5}\s*")
_LONG_CELL = 250
_MOST_SPAN = 1000


@dataclass(slots=True)
class OpenCell:
    """One cell with its attributes and the blocks in it; `sign` is what a sign says that is no text."""

    attributes: Mapping[str, str]
    heading: bool
    blocks: list[Block] = field(default_factory=list)
    sign: str = ""

    def text(self) -> str:
        """All its blocks, each in a line of its own."""
        return cell_text(self.blocks)


@dataclass(slots=True)
class OpenTable:
    """A table that is being read."""

    attributes: Mapping[str, str]
    caption: str = ""
    rows: list[list[OpenCell]] = field(default_factory=list)
    in_head: bool = False
    heads: list[range] = field(default_factory=list)
    feet: list[range] = field(default_factory=list)

    def open_row(self) -> None:
        """What follows is in a new row."""
        self.rows.append([])

    def take_sign(self, words: str) -> None:
        """Notes the words for a sign in the cell that is open, unless they are the name of a file."""
        words = " ".join(words.split())
        if self.rows and self.rows[-1] and words and not is_file_name(words):
            self.rows[-1][-1].sign = self.rows[-1][-1].sign or words[:_LONG_CELL]

    def put_in_order(self) -> None:
        """Moves the rows of the first head to the top and those of the first foot to the end, as shown."""
        head, foot = ({*ranges[0]} if ranges else set() for ranges in (self.heads, self.feet))
        numbers = range(len(self.rows))
        order = sorted(numbers, key=lambda at: (at not in head) + (at in foot))
        self.rows = [self.rows[at] for at in order]

    def open_cell(self, tag: str, attributes: Mapping[str, str]) -> OpenCell:
        """The next cell of the row."""
        if not self.rows:
            self.open_row()
        cell = OpenCell(attributes, tag == "th" or self.in_head)
        self.rows[-1].append(cell)
        return cell

    def blocks(self, name: str) -> list[Block]:
        """The table as blocks, or those of its cells if it only lays out the page; `name` is the file's."""
        cells = [cell for row in self.rows for cell in row]
        if self._is_layout(cells):
            return [block for cell in cells for block in cell.blocks]
        rows = [[_cell(cell) for cell in row] for row in self.rows if row]
        if not rows:
            return []
        pairs = [_pair(row) for row in rows]
        if all(pairs):
            return [Table([(pair,) for pair in pairs], caption=self.caption)]
        return [*tables_of(name, rows, caption=self.caption)]

    def _is_layout(self, cells: Sequence[OpenCell]) -> bool:
        if self.attributes.get("role", "").lower() in ("presentation", "none"):
            return True
        if self.caption or any(cell.heading for cell in cells):
            return False
        kinds = {type(block) for cell in cells for block in cell.blocks}
        if kinds & {Heading, Code, Table} or max(map(len, self.rows), default=0) <= 1:
            return True
        filled = [cell for cell in cells if cell.blocks]
        return sum(len(cell.text()) for cell in filled) > _LONG_CELL * len(filled)


def cell_text(blocks: Iterable[Block]) -> str:
    """The blocks of a table's cell, each in a line of its own."""
    return "\n".join(line for block in blocks for line in _lines(block) if line.strip())


def _cell(cell: OpenCell) -> Cell:
    return Cell(cell.text() or cell.sign, _span(cell, "rowspan"), _span(cell, "colspan"), cell.heading)


def _span(cell: OpenCell, name: str) -> int:
    value = cell.attributes.get(name, "1")
    span = int(value) if _SPAN.fullmatch(value) else 1
    # A row span of 0 reaches to the table's end, where `tables_of` cuts it.
    return min(span or (_MOST_SPAN if name == "rowspan" else 1), _MOST_SPAN)


def _pair(row: Sequence[Cell]) -> str:
    """`name: value` for a row of one heading and its value."""
    one_each = [(cell.heading, cell.rows, cell.columns) for cell in row] == [(True, 1, 1), (False, 1, 1)]
    if not one_each or not row[0].text.strip():
        return ""
    return f"{row[0].text.strip().rstrip(':')}: {row[1].text.strip()}" if row[1].text.strip() else ""


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Table):
        yield from (row_text(block.names, row) for row in block.rows)
    elif isinstance(block, Item):
        yield block.text if block.marker == "-" else f"{block.marker} {block.text}"
    elif isinstance(block, Note):
        yield f"[{block.mark}] {block.text}"
    elif not isinstance(block, PageStart):
        yield block.text
