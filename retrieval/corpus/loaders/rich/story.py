"""A text that is being read: the body of an RTF file, one of its notes or comments, or a text box."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrieval.corpus.blocks import Block, Heading, Item, Paragraph
from retrieval.corpus.loaders.rich.state import Format
from retrieval.corpus.loaders.rich.tables import Edge, Row, table_blocks
from retrieval.corpus.loaders.web.inline import Inline


@dataclass(slots=True)
class Story:
    """Takes runs, paragraphs, cells and rows in order, and makes blocks of them."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    line: Inline = field(default_factory=lambda: Inline(()))
    marker: str = ""
    row: Row = field(default_factory=Row)
    _edge: Edge = field(default_factory=Edge)
    _rows: list[Row] = field(default_factory=list)
    _cells: list[list[Block]] = field(default_factory=list)
    _cell: list[Block] = field(default_factory=list)
    _after: list[Block] = field(default_factory=list)

    def hang(self, block: Block) -> None:
        """A block that stands after the paragraph which is open."""
        self._after.append(block)

    def end_paragraph(self, form: Format, level: int) -> None:
        """The paragraph ends; `level` is that of a heading, 0 for others."""
        words = self.line.take().strip()
        marker, self.marker = self.marker, ""
        if not form.in_table and (words or self._after):
            self._end_table()
        into = self._cell if form.in_table else self.blocks
        if words and level:
            number = marker if marker != "-" else ""
            into.append(Heading(f"{number} {words}".strip(), level))
        elif words and marker:
            into.append(Item(words, marker, form.depth))
        elif words:
            into.append(Paragraph(words))
        into += self._after
        self._after = []

    def begin_row(self) -> None:
        """The definition of a row begins."""
        self.row = Row()
        self._edge = Edge()

    def define(self, word: str, number: int | None) -> bool:
        """Takes a control word of a row's definition; whether it is one."""
        if word == "cellx":
            self._edge.at = number or 0
            self.row.edges.append(self._edge)
            self._edge = Edge()
        elif word == "clmrg":
            self._edge.goes_on_left = True
        elif word == "clvmrg":
            self._edge.goes_on_above = True
        elif word == "trhdr":
            self.row.heading = True
        else:
            return False
        return True

    def end_cell(self, form: Format, level: int) -> None:
        """The cell ends."""
        form.in_table = True
        self.end_paragraph(form, level)
        self._cells.append(self._cell)
        self._cell = []

    def end_row(self) -> None:
        """The row ends; its definition holds for the next one too, unless that has its own."""
        row = self.row
        if self._cells:
            self._rows.append(Row(row.edges, row.heading, self._cells))
        self._cells = []

    def finish(self, form: Format, level: int = 0) -> list[Block]:
        """All blocks; what is open ends."""
        self.end_paragraph(form, level)
        if self._cells or self._cell:
            # A row without its end.
            self._cells.append(self._cell)
            self._cell = []
            self.end_row()
        self._end_table()
        return self.blocks

    def _end_table(self) -> None:
        if self._rows:
            self.blocks += table_blocks(self.name, self._rows)
            self._rows = []
