"""CSV and TSV: one document a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.tabular.documents import (
    Place,
    line_text,
    part_documents,
)
from retrieval.corpus.loaders.tabular.parts import Part, parts
from retrieval.corpus.loaders.tabular.records import Records
from retrieval.corpus.remarks import Remark
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_NAMED = 5


def load_table(
    name: str, data: bytes, limits: LoadLimits
) -> Iterator[Document | UnreadableDocument | Remark]:
    """A document for each row of the table.

    Its text is all cells with their columns' names ("sku: PPR-9087; price: 19.25"), so that each is found;
    a column called text, content, body or passage, or one of long texts, follows them as it is, and `id` and
    the title stay out of the text then. The cells are metadata as well: numbers or truth values where all of
    the column are, else strings; empty cells are left out. `id` or `_id`, and `title` or `name` are what they
    say. Without ids that tell the rows apart a row is `name#3`, counted from 1. Without a row of names,
    values stand alone; where it is not sure that the first row names columns, it is a document, too.
    So are notes below the table. Where names of columns stand below a blank line, another table begins.
    """
    found = decoded(name, data)
    records = Records(found.text)
    try:
        tables = list(parts(name, records, commas_part=records.delimiter == ","))
        if not tables:
            raise UnreadableDocument(name, "has no rows")
        yield from _documents(name, records, tables, limits)
        if len(tables) > 1:
            yield Remark(name, f"holds {len(tables)} tables below one another, each with names of its own")
    except csv.Error as error:
        raise UnreadableDocument(name, f"is not a readable table: {error}") from error
    if records.stray:
        yield Remark(name, _stray(records))
    yield from filter(None, [found.remark])


def _documents(
    name: str, records: Records, tables: Sequence[Part], limits: LoadLimits
) -> Iterator[Document | UnreadableDocument | Remark]:
    rows = (row for row in records if row.texts())
    numbers = count(1)
    for part in tables:
        if len(tables) > 1:  # ids of one table say nothing about those of another
            part = replace(part, columns=replace(part.columns, id=None))
        caption = " ".join(line_text(row, records.delimiter) for row in part.above)
        place = Place(name, f"{name}#", (caption,), {"source": name}, limits)
        yield from part_documents(place, part, rows, records.delimiter, lambda row: next(numbers))


def _stray(records: Records) -> str:
    lines = ", ".join(map(str, records.stray[:_NAMED])) + (", ..." if len(records.stray) > _NAMED else "")
    what = "is never closed" if records.unclosed else "closes in another row"
    lines = f"lines {lines}" if len(records.stray) > 1 else f"line {lines}"
    return f"a quote in {lines} {what}; each line was read as a row there, quotes as characters"
