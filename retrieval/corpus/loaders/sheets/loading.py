"""XLSX and ODS: one document for each row of each table in each sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from retrieval.corpus.archive import open_archive
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.sheets.cells import Sheet, letters
from retrieval.corpus.loaders.sheets.open_document import open_document_sheets
from retrieval.corpus.loaders.sheets.regions import Region, regions
from retrieval.corpus.loaders.sheets.workbook import Workbook
from retrieval.corpus.loaders.tabular.documents import Place, line_text, part_documents
from retrieval.corpus.loaders.tabular.parts import Part, parts
from retrieval.corpus.remarks import Remark
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_NAMED = 5
_CELL_END = " | "


Found: TypeAlias = Document | UnreadableDocument | Remark


def load_xlsx(name: str, data: bytes, limits: LoadLimits) -> Iterator[Found]:
    """A document for each row of each table, as `load_table` makes them, by the id `book.xlsx#Sheet1!7`.

    Cells read as a spreadsheet shows them: `19.25%`, `1,234.50`; dates are ISO dates. Metadata has numbers as
    they are shown (19.25), truth values, and the sheet's name as `sheet`; titles begin with it. A cell
    over several places stands in each of them. Notes on cells follow their row. Hidden sheets, rows and
    columns, charts, and formulas whose values the file does not have are left out and named.
    """
    with open_archive(name, data, limits) as archive:
        book = Workbook(name, archive)
        hidden = [entry.name for entry in book.entries if entry.hidden]
        charts = [entry.name for entry in book.entries if not entry.is_table and not entry.hidden]
        sheets = (book.sheet(entry) for entry in book.entries if entry.is_table and not entry.hidden)
        yield from _sheets(name, (sheet for sheet in sheets if sheet is not None), limits)
    if hidden:
        yield Remark(name, f"hidden sheets were left out: {_names(hidden)}", whole=False)
    if charts:
        yield Remark(name, f"sheets without cells were left out: {_names(charts)}", whole=False)


def load_ods(name: str, data: bytes, limits: LoadLimits) -> Iterator[Found]:
    """The same for an OpenDocument spreadsheet, from a package or from one file of XML (`.fods`)."""
    hidden: list[str] = []
    yield from _sheets(name, open_document_sheets(name, data, limits, hidden), limits)
    if hidden:
        yield Remark(name, f"hidden sheets were left out: {_names(hidden)}", whole=False)


def _sheets(name: str, sheets: Iterator[Sheet], limits: LoadLimits) -> Iterator[Found]:
    empty = True
    for sheet in sheets:
        empty = empty and not sheet.rows
        try:
            yield from documents_of(name, sheet, limits)
        except UnreadableDocument as error:
            yield UnreadableDocument(f"{name}#{sheet.name}", error.reason)
        yield from _left_out(name, sheet)
    if empty:
        yield Remark(name, "has no cells with values in sheets that are shown")


def documents_of(name: str, sheet: Sheet, limits: LoadLimits) -> Iterator[Found]:
    """The documents of the rows of a sheet. Raises UnreadableDocument for one with too many columns."""
    found = [(region, list(parts(name, region.rows))) for region in regions(sheet.rows)]
    alone = sum(len(tables) for _, tables in found) == 1
    for at, (region, tables) in enumerate(found):
        beside = any(_overlap(region, other) for other, _ in found[:at])
        prefix = f"{name}#{sheet.name}!{letters(region.left) if beside else ''}"
        rows = (row for row in region.rows if row.texts())
        for part in tables:
            table = part if alone else replace(part, columns=replace(part.columns, id=None))
            place = Place(
                name,
                prefix,
                (sheet.name, _caption(part)),
                {"source": name, "sheet": sheet.name},
                limits,
            )
            for one in part_documents(place, table, rows, _CELL_END, lambda row: row.number):
                yield (
                    replace(one, text=f"sheet {sheet.name!r}: {one.text}") if isinstance(one, Remark) else one
                )


def _caption(part: Part) -> str:
    return " ".join(line_text(row, _CELL_END) for row in part.above)


def _overlap(one: Region, other: Region) -> bool:
    (first, last), (others_first, others_last) = one.span, other.span
    return first <= others_last and others_first <= last


def _left_out(name: str, sheet: Sheet) -> Iterator[Remark]:
    place = f"sheet {sheet.name!r}:"
    if sheet.hidden_rows:
        yield Remark(name, f"{place} {_were(sheet.hidden_rows, 'hidden row')} left out", whole=False)
    if sheet.hidden_columns:
        yield Remark(name, f"{place} {_were(sheet.hidden_columns, 'hidden column')} left out", whole=False)
    if sheet.without_value:
        text = (
            f"{_were(len(sheet.without_value), 'formula')} left out, as the file does not have their values"
        )
        what_to_do = "open it in a spreadsheet program and save it"
        yield Remark(name, f"{place} {text} ({_names(sheet.without_value)}); {what_to_do}", whole=False)
    if sheet.loose_notes:
        yield Remark(
            name, f"{place} {_were(sheet.loose_notes, 'note')} left out, on empty cells", whole=False
        )
    if sheet.text_boxes:
        yield Remark(name, f"{place} text in shapes was left out", whole=False)


def _were(count: int, what: str) -> str:
    return f"1 {what} was" if count == 1 else f"{count} {what}s were"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
