"""The documents of a table's rows, and what a user should know about how the table was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from retrieval.corpus.characters import clean
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.tabular.columns import Columns
from retrieval.corpus.loaders.tabular.parts import Part, Role
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import Written, row_text
from retrieval.documents import Document, Mark, Scalar
from retrieval.errors import UnreadableDocument

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are: the file's name, what comes before a row's number in ids, titles and metadata."""

    name: str
    prefix: str
    titles: tuple[str, ...]
    metadata: dict[str, Scalar | list[Scalar]]
    limits: LoadLimits


def part_documents(
    place: Place, part: Part, rows: Iterable[Row], joined_by: str, number_of: Callable[[Row], int]
) -> Iterator[Document | UnreadableDocument | Remark]:
    """The documents of a table, whose rows come next in `rows`, and what a user should know about it.

    `joined_by` is what parts cells in the file; `number_of` gives a row that becomes a document its number.
    """
    wide: list[int] = []
    for row in islice(rows, part.length):
        role = part.roles.get(row.number)
        silent = role in (Role.TITLE, Role.NAMES, Role.AGAIN)
        if silent and not row.notes:
            continue
        number = number_of(row)
        try:
            if role is None and not row.is_one_line():
                yield _row_document(place, number, row, part.columns)
            else:
                text = "" if silent else line_text(row, joined_by)
                yield _line_document(place, number, row, text, has_ids=part.columns.id is not None)
        except UnreadableDocument as error:
            yield error
        if role is None and row.extent > len(part.columns.names) > 0:
            wide.append(number)
    yield from _remarks(place.name, part, wide, joined_by)


def _row_document(place: Place, number: int, row: Row, columns: Columns) -> Document:
    """All cells with their columns' names, then a long text as it is."""
    identifier = row.cell(columns.id) if columns.id is not None else ""
    own = row.cell(columns.title) if columns.title is not None else ""
    title = " > ".join(filter(None, [*place.titles, own]))
    metadata = dict(place.metadata)
    for at, field in enumerate(columns.fields):
        if at != columns.prose and row.cell(at):
            metadata[field] = columns.value(row, at)
    spot = f"{place.prefix}{number}"
    identifier = f"{place.prefix}{identifier}" if identifier else spot
    written = _written(number, row, columns, title)
    return make_document(identifier, written, place.limits, title=title, metadata=metadata, place=spot)


def _line_document(place: Place, number: int, row: Row, text: str, *, has_ids: bool) -> Document:
    """What a row says that is none of data, such as a note, or what is noted on its cells."""
    written = _with_notes(number, clean(text), row)
    title = " > ".join(filter(None, place.titles))
    # An id of a row may be a number, too.
    identifier = f"{place.prefix}line-{number}" if has_ids else f"{place.prefix}{number}"
    return make_document(identifier, written, place.limits, title=title, metadata=dict(place.metadata))


def _with_notes(number: int, text: str, row: Row) -> Written:
    text = "\n".join(part for part in (text, *map(clean, row.notes)) if part.strip())
    return Written(text, (Mark("row", number, 0, len(text)),) if text else ())


def line_text(row: Row, joined_by: str) -> str:
    """What a row says as one line: its cells as the file parts them, and a text of several places once."""
    cells = list(row.cells[: row.extent])
    if row.spanned:
        cells = list(dict.fromkeys(filter(None, map(str.strip, cells))))
    return " ".join(joined_by.join(cells).split()).strip(joined_by + " ")


def _remarks(name: str, part: Part, wide: Sequence[int], joined_by: str) -> Iterator[Remark]:
    """What to say about a table. `wide` are the numbers of rows that are wider than its header."""
    if part.above:
        above = " / ".join(line_text(row, joined_by) for row in part.above)
        yield Remark(name, f"its table begins below {above[:200]!r}")
    if part.below:
        below = " / ".join(line_text(row, joined_by) for row in part.below)
        yield Remark(name, f"lines below its table were read as notes, not as rows: {below[:200]!r}")
    yield from _header_remarks(name, part, joined_by)
    if part.repeated_ids:
        yield Remark(name, "several rows have one id; the ids of its documents are the rows' numbers")
    if part.again:
        yield Remark(name, f"the names of its columns stand in it again; {_rows(part.again)} left out")
    if wide:
        text = f"has more cells than columns in rows {_numbers(wide)}; the others were read without a name"
        yield Remark(name, text)


def _header_remarks(name: str, part: Part, joined_by: str) -> Iterator[Remark]:
    if not part.headers:
        if part.rows == 1:
            text = "its only row was read as data; if it names columns, the table has no rows"
        else:
            text = "its first row was read as data; the columns have no names"
        yield Remark(name, text)
        return
    names = line_text(part.headers[0], joined_by)[:100]
    if not part.rows:
        yield Remark(name, f"has names of columns ({names!r}) but no rows below them")
    if not part.certain:
        text = f"its first row ({names!r}) may name columns or be data; it was read as both"
        yield Remark(name, text)


def _rows(numbers: Sequence[int]) -> str:
    return f"row {numbers[0]} was" if len(numbers) == 1 else f"rows {_numbers(numbers)} were"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")


def _written(number: int, row: Row, columns: Columns, title: str) -> Written:
    """A row's text: a line of its cells, then a long text as it is; the title where there is nothing else."""
    shown = [*row.cells, *[""] * (len(columns.fields) - len(row.cells))]
    names = [*columns.names, *[""] * (len(shown) - len(columns.names))] if columns.names else []
    prose = ""
    if columns.prose is not None:
        prose = clean(shown[columns.prose]).strip("\n")
        for at in (columns.prose, columns.id, columns.title):
            if at is not None:
                shown[at] = ""
    parts = [row_text(names, shown) if any(map(str.strip, shown)) else "", prose]
    text = "\n".join(part for part in parts if part.strip()) or clean(title)
    return _with_notes(number, text, row)
