"""The sheets of an OpenDocument spreadsheet, as their cells are shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from lxml import etree

from retrieval.corpus.archive import open_archive
from retrieval.corpus.blocks import Note
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.odf.body import Body
from retrieval.corpus.loaders.odf.names import q, whole
from retrieval.corpus.loaders.odf.styles import Styles
from retrieval.corpus.loaders.packed.xml import parsed
from retrieval.corpus.loaders.sheets.cells import Sheet, SheetCell, SheetRow, Span, fill, letters
from retrieval.corpus.loaders.sheets.number_formats import general
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.tables import MOST_CELLS
from retrieval.errors import UnreadableDocument

_TABLE, _ROW, _COLUMN = q("table:table"), q("table:table-row"), q("table:table-column")
_CELL, _COVERED = q("table:table-cell"), q("table:covered-table-cell")
_NOTE, _STYLES, _SHAPES = q("office:annotation"), q("office:automatic-styles"), q("table:shapes")
_HIDDEN = ("collapse", "filter")
_NUMBERS = ("float", "percentage", "currency")
_LAST_ROW = 1_048_576


def open_document_sheets(name: str, data: bytes, limits: LoadLimits, hidden: list[str]) -> Iterator[Sheet]:
    """The sheets that are shown; the names of the others are added to `hidden`.

    Raises UnreadableDocument for a file that is none, or one with a password.
    """
    if data.startswith(b"PK"):
        with open_archive(name, data, limits) as archive:
            names = archive.namelist()
            manifest = "META-INF/manifest.xml"
            if (
                manifest in names
                and next(parsed(archive.read(manifest)).iter(q("manifest:encryption-data")), None) is not None
            ):
                raise UnreadableDocument(name, "needs a password; save it without one")
            if "content.xml" not in names:
                raise UnreadableDocument(name, "is damaged: its content is missing")
            data = archive.read("content.xml")
    yield from _Content(name, hidden).sheets(data)


class _Content:
    """The content of a file, read from its beginning to its end."""

    def __init__(self, name: str, hidden: list[str]) -> None:
        self._name = name
        self._hidden = hidden
        self._hidden_styles: set[str] = set()
        self._body = Body(name, Styles(), lambda part: None)
        self._cells = 0

    def sheets(self, data: bytes) -> Iterator[Sheet]:
        """The sheets, each when it ends."""
        walk = etree.iterparse(
            io.BytesIO(data),
            events=("start", "end"),
            tag=(_TABLE, _ROW, _COLUMN, _STYLES, _SHAPES),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            remove_comments=True,
        )
        depth = 0
        reading: _Reading | None = None
        for event, node in walk:
            if node.tag == _TABLE:
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    reading = _Reading(self._name, node.get(q("table:name"), ""), self._body)
                    reading.hidden = node.get(q("table:style-name")) in self._hidden_styles
                elif event == "end" and depth == 0 and reading is not None:
                    yield from self._ended(reading)
                    reading = None
                    node.clear()
            elif event == "end" and node.tag == _STYLES:
                self._take_styles(node)
            elif event == "end" and reading is not None and depth == 1:
                reading.take(node)

    def _take_styles(self, node: Any) -> None:
        styles = Styles()
        styles.add(node)
        self._body = Body(self._name, styles, lambda part: None)
        for style in node.iter(q("style:style")):
            properties = style.find(q("style:table-properties"))
            if properties is not None and properties.get(q("table:display")) == "false":
                self._hidden_styles.add(style.get(q("style:name"), ""))

    def _ended(self, reading: _Reading) -> Iterator[Sheet]:
        if reading.hidden:
            self._hidden.append(reading.sheet.name)
            return
        yield reading.done()


class _Reading:
    """A sheet while it is read."""

    def __init__(self, name: str, sheet: str, body: Body) -> None:
        self.sheet = Sheet(sheet)
        self.hidden = False
        self._name = name
        self._body = body
        self._spans: list[Span] = []
        self._hidden_columns: list[range] = []
        self._seen_hidden: set[int] = set()
        self._columns = 1
        self._number = 1
        self._count = 0

    def take(self, node: Any) -> None:
        """Takes in a column's or row's element."""
        if node.tag == _COLUMN:
            count = whole(node.get(q("table:number-columns-repeated")), 1)
            if node.get(q("table:visibility")) in _HIDDEN:
                self._hidden_columns.append(range(self._columns, self._columns + count))
            self._columns += count
        elif node.tag == _SHAPES:
            self.sheet.text_boxes = any((text.text or "").strip() for text in node.iter(q("text:p")))
        else:
            self._row(node)
            node.clear(keep_tail=False)
            parent = node.getparent()
            while parent is not None and node.getprevious() is not None:
                del parent[0]

    def done(self) -> Sheet:
        """The sheet, once all of its rows were taken in."""
        fill(self._name, self.sheet.rows, self._spans)
        for row in self.sheet.rows if self._hidden_columns else ():
            row.cells = {at: cell for at, cell in row.cells.items() if not self._is_hidden(at)}
        self.sheet.hidden_columns = len(self._seen_hidden)
        return self.sheet

    def _is_hidden(self, column: int) -> bool:
        return any(column in columns for columns in self._hidden_columns)

    def _row(self, node: Any) -> None:
        repeated = whole(node.get(q("table:number-rows-repeated")), 1, most=_LAST_ROW)
        row = SheetRow(self._number, {})
        column = 1
        for child in node:
            if child.tag not in (_CELL, _COVERED):
                continue
            count = whole(child.get(q("table:number-columns-repeated")), 1)
            if child.tag == _CELL:
                self._take_cell(child, row, column, count)
            column += count
        self._number += repeated
        if not row.cells:
            return
        if node.get(q("table:visibility")) in _HIDDEN:
            self.sheet.hidden_rows += repeated
            return
        self._seen_hidden.update(at for at in row.cells if self._is_hidden(at))
        self._count += len(row.cells) * repeated
        if self._count > MOST_CELLS:
            raise UnreadableDocument(self._name, f"has a table of over {MOST_CELLS} cells; split it")
        self.sheet.rows.append(row)
        for number in range(row.number + 1, row.number + repeated):
            self.sheet.rows.append(SheetRow(number, dict(row.cells)))

    def _take_cell(self, node: Any, row: SheetRow, column: int, count: int) -> None:
        notes = [" ".join(self._words(one)) for one in node.iterchildren(_NOTE)]
        for one in list(node.iterchildren(_NOTE)):
            node.remove(one)
        cell = self._cell(node)
        if cell is None or not cell.text.strip():
            self.sheet.loose_notes += sum(map(bool, notes))
            if node.get(q("table:formula")) and node.get(q("office:value-type")) is None:
                self.sheet.without_value.append(f"{letters(column)}{row.number}")
            return
        if count > MOST_CELLS:
            raise UnreadableDocument(self._name, f"has a table of over {MOST_CELLS} cells; split it")
        row.cells |= dict.fromkeys(range(column, column + count), cell)
        row.notes += [(column, f"[{letters(column)}{row.number}] {note}") for note in notes if note]
        down = whole(node.get(q("table:number-rows-spanned")), 1)
        across = whole(node.get(q("table:number-columns-spanned")), 1)
        if down > 1 or across > 1:
            self._spans.append(Span(row.number, column, row.number + down - 1, column + across - 1))

    def _words(self, note: Any) -> Iterator[str]:
        for paragraph in note.iter(q("text:p")):
            yield " ".join("".join(paragraph.itertext()).split())

    def _cell(self, node: Any) -> SheetCell | None:
        kind = node.get(q("office:value-type"))
        blocks = [block for block in self._body.blocks(node) if not isinstance(block, Note)]
        text = cell_text(blocks).strip()
        if kind in _NUMBERS:
            number = _number(node.get(q("office:value")))
            if number is None:
                return SheetCell(text, text)
            exact = number * 100 if kind == "percentage" else number
            short = float(f"{exact:.15g}")
            value = int(short) if short.is_integer() and abs(short) < 2**53 else short
            return SheetCell(text or general(number), value)
        if kind == "boolean":
            return SheetCell(text, node.get(q("office:boolean-value")) == "true")
        if kind == "date":
            date, _, time = node.get(q("office:date-value"), "").partition("T")
            shown = f"{date} {time[:5]}" if time and ":" in text else date
            return SheetCell(shown or text, None)
        return SheetCell(text, text) if text else None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None
