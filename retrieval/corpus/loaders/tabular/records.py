"""Records of delimited text: which sign parts the cells, and rows that a stray quote does not join."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from retrieval.corpus.loaders.tabular.kinds import Kind, kind_of
from retrieval.corpus.loaders.tabular.numerals import number_form
from retrieval.corpus.loaders.tabular.quoting import usually_quoted
from retrieval.corpus.loaders.tabular.rows import Row

# The module's limit on a field is 128 kB and global; a file's size is already limited here.
csv.field_size_limit(2**31 - 1)

DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65_536
_SAMPLE_ROWS = 100
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?[,;\t| ]*(?:\r\n|\n|\r|$)", re.IGNORECASE)
_END = "end of the table"
_LONG_LINES = 50
_MOST_LONG = 20
_MOST_LINES = 20_000
# How many of a record's lines have to be rows, where it is well formed, or has one fault or two.
_SHARES_RIGHT = (1.0, 0.8, 0.5)


class Records:
    """The rows of delimited text, numbered by their first lines. Read them as often as needed.

    A quote that is never closed, or closes in another row, takes no rows with it: its line is a row then and
    its quotes are characters. `stray` has the numbers of such lines, once they were read; `unclosed` says
    that a quote stayed open.
    """

    def __init__(self, text: str) -> None:
        marked = _SEPARATOR_LINE.match(text)
        self._text = text[marked.end() :] if marked else text
        self._above = int(marked is not None)
        self.delimiter = marked[1] if marked and marked[1] in DELIMITERS else _delimiter(self._text)
        self._text = usually_quoted(self._text, self.delimiter)
        self._form = _Form.of(self._text[:_SAMPLE_CHARACTERS], self.delimiter)
        self.stray: list[int] = []
        self.unclosed = False

    def __iter__(self) -> Iterator[Row]:
        """The rows, blank lines among them as rows without cells."""
        self.stray = []
        lines = _Lines(self._text)
        reader = csv.reader(lines, delimiter=self.delimiter)
        long = 0
        while True:
            first = lines.at
            record = next(reader, None)
            spanned = lines.at - first
            if record is None or first >= lines.end:
                return
            if lines.at > lines.end or (spanned > 1 and self._is_joined(record, lines.between(first))):
                self.unclosed = self.unclosed or lines.at > lines.end
                self.stray.append(first + 1 + self._above)
                record = self._alone(lines.between(first)[0])
                lines.at = first + 1
                reader = csv.reader(lines, delimiter=self.delimiter)
                long += spanned > _LONG_LINES
                if long > _MOST_LONG:
                    yield Row(first + 1, record)
                    yield from self._line_by_line(lines)
                    return
            yield Row(first + 1, record if any(map(str.strip, record)) else [])

    def _line_by_line(self, lines: _Lines) -> Iterator[Row]:
        """The rest where too many quotes are stray to look for the ends of all."""
        for at in range(lines.at, lines.end):
            yield Row(at + 1, self._alone(lines.line(at)))

    def _alone(self, line: str) -> list[str]:
        """One line's cells; its quotes are characters where one stays open."""
        return _cells(line, self.delimiter) or _cells(line, self.delimiter, quoted=False) or []

    def _is_joined(self, record: Sequence[str], lines: Sequence[str]) -> bool:
        """Whether the lines of a record are rows of their own, which a quote in the first has joined."""
        if len(lines) > _MOST_LINES:
            return True
        alone = [self._alone(line) for line in lines if line.strip()]
        right = [len(cells) == self._form.width for cells in alone]
        faults = (len(record) != self._form.width) + (not _is_strict("".join(lines), self.delimiter))
        if not right[0] or sum(right) < _SHARES_RIGHT[faults] * len(right):
            return False
        if faults:
            return True
        if not self._form.kinds or not all(self._form.fits(cells) and all(cells) for cells in alone):
            return False
        return not self._form.fits(record) or (len(alone) > 2 and self._form.width > 2)


@dataclass(frozen=True, slots=True)
class _Form:
    """How wide most rows on one line are, and the kinds of the columns where most cells are not words."""

    width: int
    kinds: dict[int, Kind]

    @classmethod
    def of(cls, sample: str, delimiter: str) -> _Form:
        alone = _one_a_line(sample, delimiter)
        width = _most_common_width(_well_formed(sample, delimiter) or alone)
        rows = [cells for cells in alone if len(cells) == width > 0]
        kinds: dict[int, Kind] = {}
        for at in range(width):
            found = Counter(kind_of(cells[at]) for cells in rows)
            found.pop(Kind.BLANK, None)
            kind, times = found.most_common(1)[0] if found else (Kind.WORDS, 0)
            if kind is not Kind.WORDS and times * 2 > len(rows):
                kinds[at] = kind
        return cls(width, kinds)

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether the cells are of their columns' kinds; quotes around them do not count."""
        return all(kind_of(cells[at].strip(' "')) in (kind, Kind.BLANK) for at, kind in self.kinds.items())


class _Lines:
    """The lines of a text with their ends, to be read again from any of them; then one line that ends it.

    A quote left open takes that last line in, and `at` is past the `end`.
    """

    def __init__(self, text: str) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self.at = 0
        self.end = len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at > self.end:
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1] if self.at <= self.end else _END

    def line(self, at: int) -> str:
        return self._lines[at]

    def between(self, first: int) -> list[str]:
        """The lines from the first to where reading stands."""
        return self._lines[first : self.at]


def _most_common_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(widths, key=lambda one: (widths[one], one), default=0)


def _well_formed(sample: str, delimiter: str) -> list[list[str]]:
    """The first rows, if no quote among them is stray and most of them are of one width; else none."""
    lines = list(io.StringIO(sample, newline=""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, _SAMPLE_ROWS))
    except csv.Error:
        if len(sample) < _SAMPLE_CHARACTERS or reader.line_num < len(lines):
            return []
    rows = [cells for cells in rows if any(map(str.strip, cells))]
    width = _most_common_width(rows)
    return rows if sum(len(cells) == width for cells in rows) >= _SHARES_RIGHT[1] * len(rows) else []


def _one_a_line(sample: str, delimiter: str) -> list[list[str]]:
    """The first lines as rows."""
    lines = list(islice(io.StringIO(sample, newline=""), 2 * _SAMPLE_ROWS))
    if len(sample) == _SAMPLE_CHARACTERS and len(lines) > 1:  # the last line may be cut off
        lines.pop()
    alone = (_cells(line, delimiter) for line in lines if line.strip())
    return [cells for cells in alone if cells]


def _cells(line: str, delimiter: str, *, quoted: bool = True) -> list[str] | None:
    """The cells of one line; None if a quote in it stays open."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    if '"' not in line:
        return next(csv.reader([line], delimiter=delimiter, quoting=quoting), [])
    rows = list(csv.reader([line.rstrip("\r\n") + "\n", _END], delimiter=delimiter, quoting=quoting))
    return rows[0] if len(rows) == 2 else None


def _is_strict(lines: str, delimiter: str) -> bool:
    """Whether every quote that closes stands at the end of a cell."""
    try:
        list(csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return True


def _delimiter(text: str) -> str:
    """The one by which most rows are of one width above 1; the wider one of two that are as good."""

    def fitness(delimiter: str) -> tuple[float, int]:
        sample = io.StringIO(text[:_SAMPLE_CHARACTERS], newline="")
        reader = (row for row in csv.reader(sample, delimiter=delimiter) if any(map(str.strip, row)))
        try:
            rows = list(islice(reader, _SAMPLE_ROWS))
        except csv.Error:
            return 0.0, 0
        if len(text) > _SAMPLE_CHARACTERS and 1 < len(rows) < _SAMPLE_ROWS:  # the last row may be cut off
            rows.pop()
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            return 0.0, 0
        width, count = max(widths.items(), key=lambda found: (found[1], found[0]))
        return count / len(rows), width

    found = max(DELIMITERS, key=fitness)
    return "\t" if found == "," and _is_one_column(text) else found


def _is_one_column(text: str) -> bool:
    """Whether commas only stand within numbers: `1,234.56` on lines below a name without one."""
    lines = [line.strip() for line in text[:_SAMPLE_CHARACTERS].splitlines() if line.strip()]
    return len(lines) > 1 and "," not in lines[0] and all(number_form(line) for line in lines[1:_SAMPLE_ROWS])
