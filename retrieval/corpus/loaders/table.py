"""CSV and TSV: one document a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.columns import Columns, Sheet, columns_of, sheet_of
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.values import typed
from retrieval.corpus.writer import Written, row_text
from retrieval.errors import UnreadableDocument
from retrieval.types import Document, Mark, Scalar

_NAMED = 5


def load_table(
    name: str, data: bytes, limits: LoadLimits
) -> Iterator[Document | UnreadableDocument | Remark]:
    """A document for each row of the table.

    Its text is all cells with their columns' names ("sku: PPR-9087; price: 19.25"), so that each is found;
    a column called text, content, body or passage, or one of long texts, follows them as it is, and `id` and
    the title stay out of the text then. The cells are metadata as well: numbers or truth values where all of
    the column are, else strings; empty cells are left out. `id` or `_id`, and `title` or `name` are what they
    say. Without an id a row is `name#3`, counted from 1. Without a row of names, values stand alone.
    """
    found = decoded(name, data)
    try:
        sheet = sheet_of(name, found.text)
        columns = columns_of(sheet)
        wide: list[int] = []
        for number, row in enumerate(sheet.rows(), 1):
            if len(row) > len(columns.fields):
                wide.append(number)
            try:
                yield _document(name, number, row, columns, " ".join(sheet.above), limits)
            except UnreadableDocument as error:
                yield error
    except csv.Error as error:
        raise UnreadableDocument(name, f"is not a readable table: {error}") from error
    yield from _remarks(name, sheet, wide)
    yield from filter(None, [found.remark])


def _remarks(name: str, sheet: Sheet, wide: Sequence[int]) -> Iterator[Remark]:
    if sheet.above:
        yield Remark(name, f"its table begins below {' / '.join(sheet.above)[:200]!r}")
    if not sheet.quoted:
        yield Remark(name, "a quote in it is never closed; each line was read as a row, quotes as characters")
    if not sheet.header:
        yield Remark(name, "its first row was read as data, since it has numbers; the columns have no names")
    if wide:
        rows = ", ".join(map(str, wide[:_NAMED])) + (", ..." if len(wide) > _NAMED else "")
        yield Remark(name, f"has more cells than columns in rows {rows}; the others were read without a name")


def _document(
    name: str, number: int, row: Sequence[str], columns: Columns, caption: str, limits: LoadLimits
) -> Document:
    cells = [*row, *[""] * (len(columns.fields) - len(row))]
    identifier = cells[columns.id].strip() if columns.id is not None else ""
    title = cells[columns.title].strip() if columns.title is not None else caption
    metadata: dict[str, Scalar | list[Scalar]] = {"source": name}
    for at, field in enumerate(columns.fields):
        if at != columns.prose and cells[at].strip():
            metadata[field] = typed(cells[at]) if at in columns.typed else cells[at]
    place = f"{name}#{number}"
    written = _written(number, cells, columns, title)
    return make_document(identifier or place, written, limits, title=title, metadata=metadata, place=place)


def _written(number: int, cells: Sequence[str], columns: Columns, title: str) -> Written:
    """A row's text: a line of its cells, then a long text as it is; the title where there is nothing else."""
    names = [*columns.names, *[""] * (len(cells) - len(columns.names))] if columns.names else []
    shown = list(cells)
    prose = ""
    if columns.prose is not None:
        prose = clean(cells[columns.prose]).strip("\n")
        for at in (columns.prose, columns.id, columns.title):
            if at is not None:
                shown[at] = ""
    parts = [row_text(names, shown) if any(map(str.strip, shown)) else "", prose]
    text = "\n".join(part for part in parts if part.strip()) or clean(title)
    return Written(text, (Mark("row", number, 0, len(text)),) if text else ())
