"""An XLSX file: which sheets it has, and the notes, tables and text boxes that hang on each."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zipfile import ZipFile

from lxml import etree

from retrieval.corpus.loaders.packed.office import Package
from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.sheets.cells import Sheet, letters, place, span
from retrieval.corpus.loaders.sheets.looks import looks
from retrieval.corpus.loaders.sheets.strings import rich_text, shared_strings
from retrieval.corpus.loaders.sheets.worksheet import Book, read_worksheet
from retrieval.errors import UnreadableDocument

_THREADED = "[Threaded comment]"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet in the list of them: its name, its part, and whether it is hidden or a chart."""

    name: str
    part: str
    hidden: bool
    is_table: bool


class Workbook:
    """The sheets of a file. Raises UnreadableDocument if it is damaged."""

    def __init__(self, name: str, archive: ZipFile) -> None:
        self._package = Package(name, archive)
        part = self._package.main()
        root = self._package.xml(part)
        if root is None:
            raise UnreadableDocument(name, "is damaged: the list of its sheets is missing")
        related = self._package.relations(part)
        strings, styles = (self._package.related(part, kind) for kind in ("sharedStrings", "styles"))
        self._book = Book(
            name,
            shared_strings(self._package.read(strings) if strings else None),
            looks(self._package.xml(styles) if styles else None),
            any(local(node) == "workbookPr" and node.get("date1904") in ("1", "true") for node in root),
        )
        self.entries = []
        for node in (one for group in root if local(group) == "sheets" for one in group):
            identity = next((value for key, value in node.attrib.items() if key.endswith("}id")), "")
            if (relation := related.get(identity)) is not None:
                hidden = node.get("state") in ("hidden", "veryHidden")
                is_table = relation.kind == "worksheet"
                self.entries.append(SheetEntry(node.get("name") or "", relation.target, hidden, is_table))

    def sheet(self, entry: SheetEntry) -> Sheet | None:
        """A sheet with its notes; None if its part is missing. Raises UnreadableDocument."""
        data = self._package.read(entry.part)
        if data is None:
            return None
        sheet = read_worksheet(self._book, entry.name, data)
        for relation in self._package.relations(entry.part).values():
            if relation.kind == "table":
                _mark_names(sheet, self._safe(relation.target))
            elif relation.kind == "drawing":
                sheet.text_boxes = sheet.text_boxes or _has_text(self._safe(relation.target))
        _add_notes(sheet, self._notes(entry.part))
        return sheet

    def _notes(self, part: str) -> dict[str, list[str]]:
        """The notes on cells by the cells' names. Of a conversation the old copy is left out."""
        notes: dict[str, list[str]] = defaultdict(list)
        for relation in self._package.relations(part).values():
            root = self._safe(relation.target) if relation.kind in ("comments", "threadedComment") else None
            for node in root.iter() if root is not None else ():
                if local(node) == "comment":
                    text = next((rich_text(child) for child in node if local(child) == "text"), "")
                elif local(node) == "threadedComment":
                    text = next((child.text or "" for child in node if local(child) == "text"), "")
                else:
                    continue
                if text.strip() and not text.startswith(_THREADED):
                    notes[node.get("ref", "")].append(" ".join(text.split()))
        return notes

    def _safe(self, part: str) -> Any | None:
        """The root of a part that the sheet can be read without."""
        try:
            return self._package.xml(part)
        except etree.XMLSyntaxError:
            return None


def _mark_names(sheet: Sheet, table: Any | None) -> None:
    """Marks the row that names the columns of a table that the file declares."""
    if table is None or local(table) != "table" or table.get("headerRowCount") == "0":
        return
    if (places := span(table.get("ref", ""))) is not None:
        at = bisect_left([row.number for row in sheet.rows], places.top)
        if at < len(sheet.rows) and sheet.rows[at].number == places.top:
            sheet.rows[at].names = True


def _add_notes(sheet: Sheet, notes: dict[str, list[str]]) -> None:
    rows = {row.number: row for row in sheet.rows}
    for reference, texts in notes.items():
        number, column = place(reference)
        row = rows.get(number)
        if row is None or column not in row.cells:
            sheet.loose_notes += len(texts)
        else:
            row.notes += [(column, f"[{letters(column)}{number}] {text}") for text in texts]


def _has_text(drawing: Any | None) -> bool:
    """Whether a drawing has shapes with words."""
    return any((text.text or "").strip() for shape in _shapes(drawing) for text in shape.iter("{*}t"))


def _shapes(drawing: Any | None) -> Iterator[Any]:
    return iter(()) if drawing is None else drawing.iter("{*}sp")
