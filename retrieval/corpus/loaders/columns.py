"""What a table of plain text looks like: its delimiter, the lines above it, its columns' names and kinds."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from retrieval.corpus.tables import MOST_COLUMNS
from retrieval.corpus.values import typed
from retrieval.errors import UnreadableDocument

# The module's limit on a field is 128 kB and global; a file's size is already limited here.
csv.field_size_limit(2**31 - 1)

DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65_536
_SAMPLE_ROWS = 100
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*(?:\r\n|\n|\r|$)", re.IGNORECASE)
_PROSE_NAMES = ("text", "content", "body", "passage")
_TITLE_NAMES = ("title", "name", "headline", "subject")
_ID_NAMES = ("id", "_id")
_PROSE_CHARACTERS = 200
_MOST_ABOVE = 10
_END = "end of the table"
_YEARS = range(1500, 2200)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a table, without what stands above them. `above` are the texts of lines that do.

    `quoted` is False where a quote is never closed: then each line is a row, and quotes are characters.
    """

    text: str
    delimiter: str
    quoted: bool
    skipped: int
    above: tuple[str, ...]
    header: tuple[str, ...]

    def rows(self) -> Iterator[list[str]]:
        """The rows below the header; those without a value are left out."""
        rows = _rows(self.text, self.delimiter, quoted=self.quoted)
        return islice(rows, self.skipped + bool(self.header), None)


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns by position: `names` as text shows them, `fields` as metadata names them.

    `prose` is a column of long text, `typed` those where every cell is a number, or every one a truth value.
    """

    names: tuple[str, ...]
    fields: tuple[str, ...]
    prose: int | None
    title: int | None
    id: int | None
    typed: frozenset[int]


def sheet_of(name: str, text: str) -> Sheet:
    """The table in a text. Raises UnreadableDocument if there is none.

    >>> sheet = sheet_of("a.csv", "Prices of 2024\\n\\nsku;price\\nA;12,50\\n")
    >>> sheet.delimiter, sheet.above, sheet.header, list(sheet.rows())
    (';', ('Prices of 2024',), ('sku', 'price'), [['A', '12,50']])
    """
    marked = _SEPARATOR_LINE.match(text)
    text = text[marked.end() :] if marked else text
    delimiter = marked[1] if marked and marked[1] in DELIMITERS else _delimiter(text)
    quoted = _quotes_close(text, delimiter)
    sample = list(islice(_rows(text, delimiter, quoted=quoted), _SAMPLE_ROWS))
    if not sample:
        raise UnreadableDocument(name, "has no rows")
    skipped = _rows_above(sample)
    above = tuple(" ".join(" ".join(row).split()) for row in sample[:skipped])
    named = _has_header(sample[skipped:])
    header = tuple(cell.strip() for cell in sample[skipped]) if named else ()
    if max(map(len, sample)) > MOST_COLUMNS:
        raise UnreadableDocument(name, f"has over {MOST_COLUMNS} columns; that many are read")
    return Sheet(text, delimiter, quoted, skipped, above, header)


def columns_of(sheet: Sheet) -> Columns:
    """The columns of a table, by their names and all of its cells."""
    width = len(sheet.header) or max((len(row) for row in islice(sheet.rows(), _SAMPLE_ROWS)), default=0)
    folded = [column.lower() for column in sheet.header]
    identifier, title = _first(folded, _ID_NAMES), _first(folded, _TITLE_NAMES)
    kinds, lengths, count = _survey(sheet.rows(), width)
    prose = _first(folded, _PROSE_NAMES)
    if prose is None and count:
        longest = max(range(width), key=lengths.__getitem__, default=None)
        prose = longest if longest is not None and lengths[longest] > _PROSE_CHARACTERS * count else None
    return Columns(
        sheet.header,
        tuple(_unique([_field(cell, at) for at, cell in enumerate(sheet.header or [""] * width, 1)])),
        prose,
        None if title == prose else title,
        identifier,
        frozenset(at for at, found in enumerate(kinds) if found in ({int}, {float}, {int, float}, {bool})),
    )


def _rows(text: str, delimiter: str, *, quoted: bool = True) -> Iterator[list[str]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    return (row for row in reader if any(map(str.strip, row)))


def _quotes_close(text: str, delimiter: str) -> bool:
    """Whether the text ends outside quotes. A quote left open would make one cell of all that follows."""
    last = deque(csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter), maxlen=1)
    return last[0] == [_END]


def _delimiter(text: str) -> str:
    """The one by which most rows are of one width above 1; the wider one of two that are as good."""

    def fitness(delimiter: str) -> tuple[float, int]:
        try:
            # The sample's last row may be cut off.
            rows = list(islice(_rows(text[:_SAMPLE_CHARACTERS], delimiter), _SAMPLE_ROWS))
        except csv.Error:
            return 0.0, 0
        widths = Counter(len(row) for row in rows[: max(1, len(rows) - 1)] if len(row) > 1)
        if not widths:
            return 0.0, 0
        width, count = max(widths.items(), key=lambda found: (found[1], found[0]))
        return count / len(rows), width

    return max(DELIMITERS, key=fitness)


def _rows_above(rows: Sequence[Sequence[str]]) -> int:
    """How many first rows have a single value, above one with several: a title, a date, a note."""
    values = [sum(bool(cell.strip()) for cell in row) for row in rows]
    above = next((at for at, count in enumerate(values) if count > 1), 0)
    return above if above <= _MOST_ABOVE else 0


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: no number in it, other than years, stands over numbers."""
    first, below = rows[0], rows[1:]
    numbers = [at for at, cell in enumerate(first) if _is_number(cell)]
    if not numbers:
        return True
    values = [first[at].strip() for at in numbers]
    years = all(value.isdigit() and int(value) in _YEARS for value in values)
    if years and len(set(values)) == len(values) > 1 and len(numbers) < len(first):
        return True
    over_numbers = any(len(row) > at and _is_number(row[at]) for at in numbers for row in below)
    return not over_numbers and bool(below)


def _is_number(cell: str) -> bool:
    value = typed(cell.strip().replace(",", "."))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _survey(rows: Iterator[list[str]], width: int) -> tuple[list[set[type]], list[int], int]:
    """The kinds of values in each column, the characters in each, and the number of rows."""
    kinds: list[set[type]] = [set() for _ in range(width)]
    lengths = [0] * width
    count = 0
    for row in rows:
        count += 1
        for at, cell in enumerate(row[:width]):
            if cell.strip():
                lengths[at] += len(cell)
                if str not in kinds[at]:
                    kinds[at].add(type(typed(cell)))
    return kinds, lengths, count


def _first(columns: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((columns.index(name) for name in wanted if name in columns), None)


def _field(cell: str, at: int) -> str:
    """The name of a metadata field; `$` begins an operator of filters, so no field begins with it."""
    return cell.lstrip("$ ").strip() or f"column_{at}"


def _unique(names: list[str]) -> list[str]:
    seen: set[str] = set()
    for at, name in enumerate(names):
        while names[at] in seen:
            names[at] = f"{name}_{at + 1}" if names[at] == name else f"{names[at]}_"
        seen.add(names[at])
    return names
