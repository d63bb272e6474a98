"""The tables in a run of rows: what stands above and below each, and what its columns are."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from retrieval.corpus.loaders.tabular.columns import Columns, Survey
from retrieval.corpus.loaders.tabular.header import Verdict, evidence
from retrieval.corpus.loaders.tabular.levels import is_group, with_groups, without_label
from retrieval.corpus.loaders.tabular.opening import Opening, has_one_text, is_spaced, opening
from retrieval.corpus.loaders.tabular.rows import Row

_SAMPLE_ROWS = 100
_AHEAD = 20
_MOST_BELOW = 20
_MOST_ABOVE_NAMES = 4
_FEW_WORDS = 3
_NOTE = re.compile(
    r"\W*(?:note|notes|source|sources|quelle|quellen|hinweis|anmerkung|anmerkungen|stand|legende?|nota|fuente|"
    r"remarque|fonte|bron|kilde|källa)\b|[*†‡§©]|[\[(]?\d{1,2}[\])]",
    re.IGNORECASE,
)


class Role(Enum):
    """What a row of a table is, where it is none of its rows of data."""

    TITLE = "a line above the table"
    NAMES = "names of columns"
    BOTH = "names of columns or data"
    NOTE = "a note below the table"
    AGAIN = "the names of columns once more"
    OTHER = "something above the table that is no line of text"


@dataclass(frozen=True, slots=True)
class Part:
    """One table: the rows `above` it, its `headers`, the notes `below`, and how many rows of data it has.

    `certain` is False where the header may be data. `roles` has the rows that are not data, by number.
    `repeated_ids`: it has a column of ids that do not tell its rows apart.
    """

    above: tuple[Row, ...]
    headers: tuple[Row, ...]
    certain: bool
    below: tuple[Row, ...]
    rows: int
    columns: Columns
    repeated_ids: bool
    roles: dict[int, Role]

    @property
    def again(self) -> list[int]:
        """The numbers of rows that have the names of columns once more."""
        return [number for number, role in self.roles.items() if role is Role.AGAIN]

    @property
    def length(self) -> int:
        """How many rows it takes in all."""
        return self.rows + len(self.roles)


def parts(name: str, rows: Iterable[Row], *, commas_part: bool = False) -> Iterator[Part]:
    """The tables in the rows, one below the other. A table begins anew below a blank row, with its header.

    Raises UnreadableDocument above 1,000 columns; `name` is the file's. `commas_part`: see `NumberColumn`.
    """
    ahead = _Ahead(rows)
    while sample := _sample(ahead):
        yield _part(name, ahead, opening(sample), commas_part=commas_part)


def column_names(headers: Sequence[Row]) -> tuple[str, ...]:
    """The names of columns, from the different texts of each in the rows of the header, in order."""
    width = max((row.extent for row in headers), default=0)
    if len(headers) > 1 and not headers[0].spanned and is_group(headers[0], headers[1]):
        headers = [with_groups(headers[0], headers[1]), *headers[1:]]
    if len(headers) > 1:
        headers = [*headers[:-1], without_label(headers[-1])]
    return tuple(
        " ".join(dict.fromkeys(filter(None, (row.cell(at) for row in headers)))) for at in range(width)
    )


def _part(name: str, ahead: _Ahead, found: Opening, *, commas_part: bool) -> Part:
    above = tuple(ahead.take() for _ in range(found.above))
    headers = tuple(ahead.take() for _ in range(found.headers))
    body = _Body(Survey(name, column_names(headers), commas_part=commas_part), found.width)
    again: list[int] = []
    names = headers[-1] if headers and found.certain else None
    while ahead.peek(1) and not (body.rows and _is_next(ahead, names)):
        gap, row = ahead.has_gap(), ahead.take()
        if found.headers == 1 and found.certain and list(row.cells) == list(headers[0].cells):
            again.append(row.number)
        else:
            body.add(row, gap=gap)
    header = Role.NAMES if found.certain else Role.BOTH
    roles = {row.number: _role_above(row, found.width) for row in above}
    roles |= {row.number: header for row in headers} | {row.number: Role.NOTE for row in body.notes}
    roles |= dict.fromkeys(again, Role.AGAIN)
    return Part(
        above,
        headers,
        found.certain,
        tuple(body.notes),
        body.rows,
        body.survey.columns(),
        body.survey.has_repeated_ids(),
        roles,
    )


def _is_next(ahead: _Ahead, names: Row | None) -> bool:
    """Whether another table begins: below a blank row, or with one of the last table's `names` again."""
    if ahead.has_gap() and _begins(ahead.until_gap()):
        return True
    if names is None:
        return False
    first, second = [*ahead.peek(2), names, names][:2]
    again = second if has_one_text(first) and not has_one_text(names) else first
    return _shares_a_name(again, names) and _begins(ahead.until_gap(), by_kind=True)


def _shares_a_name(row: Row, names: Row) -> bool:
    """Whether a row has a name of a column in its place, but is not the same row of names."""
    if set(names.cells).isdisjoint(row.cells):
        return False
    same = [row.cell(at) == names.cell(at) for at in range(row.extent) if row.cell(at)]
    return any(same) and not (all(same) and len(same) == len(names.texts()))


class _Body:
    """The rows of a table below its header. `notes` are the last ones that no row follows, if they may be."""

    def __init__(self, survey: Survey, width: int) -> None:
        self.survey = survey
        self.rows = 0
        self.notes: list[Row] = []
        self._width = width
        self._longest = 0

    def add(self, row: Row, *, gap: bool) -> None:
        """Takes in the next row; `gap` says that a blank one stands before it."""
        if self.rows and self._is_note(row, gap=gap) and len(self.notes) < _MOST_BELOW:
            self.notes.append(row)
            return
        for one in (*self.notes, row):
            if not one.is_one_line():
                self.survey.add(one)
            self.rows += 1
            self._longest = max(self._longest, len(one.cell(0)))
        self.notes = []

    def _is_note(self, row: Row, *, gap: bool) -> bool:
        one = has_one_text(row)
        if self._width < 2 or not row.cell(0):
            return False
        if not one and row.extent >= self._width and not is_spaced(row, ()):
            return False
        text = row.texts()[0]
        if self.notes or _NOTE.match(text):
            return True
        if one:
            return len(text) > self._longest and len(text.split()) >= _FEW_WORDS - gap
        words = sum(len(part.split()) for part in row.texts() if not part.isdigit())
        return gap and is_spaced(row, ()) and words >= _FEW_WORDS


def _role_above(row: Row, width: int) -> Role:
    is_text = has_one_text(row) or row.extent < width or is_spaced(row, ())
    return Role.TITLE if is_text else Role.OTHER


def _sample(ahead: _Ahead) -> list[Row]:
    """The first rows, up to where another table begins."""
    rows = ahead.peek(_SAMPLE_ROWS)
    for at in ahead.gaps(_SAMPLE_ROWS):
        wide = sum(not (has_one_text(row) or is_spaced(row, ())) for row in rows[:at])
        if wide > 1 and _begins(ahead.until_gap(at)):
            rows = rows[:at]
            break
    return rows[: _named_anew(rows)]


def _named_anew(rows: Sequence[Row]) -> int:
    """How many rows stand before one that names columns as one of the first rows does, but not all."""
    for at in range(2, len(rows) - 1):
        for names in range(min(at - 1, _MOST_ABOVE_NAMES)):
            if (
                len(rows[at].texts()) > 1
                and _shares_a_name(rows[at], rows[names])
                and _begins(rows[at:], by_kind=True)
                and evidence(rows[names], rows[names + 1 : at]).verdict is Verdict.NAMES
            ):
                return at - has_one_text(rows[at - 1])
    return len(rows)


def _begins(rows: Sequence[Row], *, by_kind: bool = False) -> bool:
    """Whether rows below others are a table of their own: its header comes first, or below a title.

    `by_kind`: only a header of words above other kinds counts.
    """
    titles = next((at for at, row in enumerate(rows) if not has_one_text(row)), len(rows))
    rest = rows[titles:]
    if not any(len(row.texts()) > 1 for row in rest[1:]) or is_spaced(rest[0], rest[1:]):
        return False
    names = rest[0].texts()
    if len(set(names)) < len(names) and not rest[0].spanned:
        return False
    if not all(any(map(str.isalnum, name)) for name in names):
        return False
    found = evidence(rest[0], rest[1:])
    return found.verdict is Verdict.NAMES and (found.by_kind or not by_kind)


class _Ahead:
    """Rows that are looked at before they are taken; blank ones leave a gap before the next."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._held: deque[tuple[Row, bool]] = deque()

    def peek(self, count: int) -> list[Row]:
        """The next rows, fewer at the end."""
        self._fill(count)
        return [row for row, _ in islice(self._held, count)]

    def take(self) -> Row:
        """The next row."""
        self._fill(1)
        return self._held.popleft()[0]

    def has_gap(self) -> bool:
        """Whether a blank row stands before the next row."""
        self._fill(1)
        return bool(self._held) and self._held[0][1]

    def gaps(self, count: int) -> list[int]:
        """How many rows stand before each gap between the next rows."""
        self._fill(count)
        return [at for at, (_, gap) in enumerate(islice(self._held, count)) if gap and at]

    def until_gap(self, start: int = 0) -> list[Row]:
        """Rows from the next but `start` on, up to the gap behind them."""
        self._fill(start + _AHEAD)
        rows: list[Row] = []
        for row, gap in islice(self._held, start, start + _AHEAD):
            if gap and rows:
                break
            rows.append(row)
        return rows

    def _fill(self, count: int) -> None:
        gap = False
        while len(self._held) < count:
            row = next(self._rows, None)
            if row is None:
                return
            if row.texts():
                self._held.append((row, gap))
                gap = False
            else:
                gap = True
