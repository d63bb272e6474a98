"""CSV and TSV: one document a row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.values import typed
from retrieval.errors import UnreadableDocument
from retrieval.types import Document, Scalar

# The module's limit on a field is 128 kB and global; a file's size is already limited here.
csv.field_size_limit(2**31 - 1)

_TEXT_NAMES = ("text", "content", "body", "passage", "description")
_TITLE_NAMES = ("title", "name", "headline", "subject")
_ID_NAMES = ("id", "_id")
_SAMPLE = 65_536
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns, by position. `numeric` are those where every cell with a value is a number."""

    names: list[str]
    text: int
    title: int | None
    id: int | None
    typed: frozenset[int]


def load_table(
    name: str, data: bytes, limits: LoadLimits
) -> Iterator[Document | UnreadableDocument | Remark]:
    """A document for each row under the first, which names the columns.

    The text is in the column called text, content, body, passage or description, else in the one with the
    longest cells. `id` or `_id`, and `title` or `name` are what they say; the others are metadata: numbers
    or truth values if all of the column are, else strings; empty cells are left out.
    Without an id a row is `name#3`, counted from 1. A broken row is reported by that name.
    """
    found = decoded(name, data)
    text = found.text
    dialect = _dialect(text)
    rows = _rows(text, dialect)
    header = next(rows, None)
    if header is None:
        raise UnreadableDocument(name, "has no rows")
    columns = _columns(name, header, text, dialect)
    for number, row in enumerate(rows, 1):
        try:
            yield _document(name, f"{name}#{number}", row, columns, limits)
        except UnreadableDocument as error:
            yield error
    yield from filter(None, [found.remark])


def _rows(text: str, dialect: type[csv.Dialect]) -> Iterator[list[str]]:
    return (row for row in csv.reader(io.StringIO(text, newline=""), dialect) if any(map(str.strip, row)))


def _dialect(text: str) -> type[csv.Dialect]:
    """Double quotes, and the delimiter that is most often in the first line, outside quotes."""
    header = (text[:_SAMPLE].splitlines() or [""])[0]
    unquoted = re.sub(r'"[^"]*"', "", header)
    counts = {delimiter: unquoted.count(delimiter) for delimiter in _DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])

    class Dialect(csv.excel):
        delimiter = best

    return Dialect


def _columns(name: str, header: list[str], text: str, dialect: type[csv.Dialect]) -> Columns:
    names = _unique([cell.strip() or f"column_{place}" for place, cell in enumerate(header, 1)])
    if len(names) > _MOST_COLUMNS:
        raise UnreadableDocument(name, f"has {len(names)} columns; at most {_MOST_COLUMNS} are read")
    folded = [column.lower() for column in names]
    chosen = _first(folded, _TEXT_NAMES)
    identifier = _first(folded, _ID_NAMES)
    typed_columns, longest = _survey(islice(_rows(text, dialect), 1, None), len(names), skip=identifier)
    chosen = longest if chosen is None else chosen
    title = _first(folded, _TITLE_NAMES)
    return Columns(names, chosen, None if title == chosen else title, identifier, typed_columns)


def _unique(names: list[str]) -> list[str]:
    seen: set[str] = set()
    for place, column in enumerate(names):
        seen.add(column if column not in seen else f"{column}_{place + 1}")
        names[place] = column if names.index(column) == place else f"{column}_{place + 1}"
    return names


def _first(columns: list[str], wanted: tuple[str, ...]) -> int | None:
    return next((columns.index(name) for name in wanted if name in columns), None)


def _survey(rows: Iterator[list[str]], columns: int, *, skip: int | None) -> tuple[frozenset[int], int]:
    """Which columns hold only numbers, or only truth values, and which holds the most text."""
    kinds: list[set[type]] = [set() for _ in range(columns)]
    lengths = [0] * columns
    for row in rows:
        for place, cell in enumerate(row[:columns]):
            if cell.strip():
                lengths[place] += len(cell)
                if str not in kinds[place]:
                    kinds[place].add(type(typed(cell)))
    uniform = frozenset(
        place for place, found in enumerate(kinds) if found in ({int}, {float}, {int, float}, {bool})
    )
    return uniform, max(
        (place for place in range(columns) if place != skip), key=lengths.__getitem__, default=0
    )


def _document(name: str, row_name: str, row: list[str], columns: Columns, limits: LoadLimits) -> Document:
    if len(row) > len(columns.names):
        raise UnreadableDocument(
            row_name, f"has {len(row)} cells, but the table has {len(columns.names)} columns"
        )
    cells = row + [""] * (len(columns.names) - len(row))
    title = cells[columns.title].strip() if columns.title is not None else ""
    identifier = cells[columns.id].strip() if columns.id is not None else ""
    metadata: dict[str, Scalar | list[Scalar]] = {"source": name}
    own = (columns.text, columns.title, columns.id)
    for place, cell in enumerate(cells):
        if place not in own and cell.strip():
            metadata[columns.names[place]] = typed(cell) if place in columns.typed else cell
    body = cells[columns.text] if cells[columns.text].strip() else title
    return make_document(identifier or row_name, body, limits, title=title, metadata=metadata, place=row_name)
