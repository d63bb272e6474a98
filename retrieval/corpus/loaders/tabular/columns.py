"""A table's columns: how text shows them and metadata names them, and what its cells are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.corpus.loaders.tabular.kinds import is_missing
from retrieval.corpus.loaders.tabular.numerals import Decimals, NumberColumn, number_form
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.corpus.tables import MOST_COLUMNS
from retrieval.documents import Scalar
from retrieval.errors import UnreadableDocument

_PROSE_NAMES = ("text", "content", "body", "passage")
_TITLE_NAMES = ("title", "name", "headline", "subject")
_ID_NAMES = ("id", "_id")
_PROSE_CHARACTERS = 200
_TRUTHS = {"true": True, "false": False}


def is_ours(name: str) -> bool:
    """Whether a column of this name is what a reader looks for: a document's text or identifier.

    >>> [is_ours(name) for name in ("Text", "id", "price")]
    [True, True, False]
    """
    return name.strip().lower() in _PROSE_NAMES + _ID_NAMES


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns by position: `names` as text shows them, `fields` as metadata names them.

    `names` is () where none are known, and shorter than `fields` where rows are wider than the header.
    `prose` is a column of long text. `decimals` says how the numbers of a column are written, None where its
    cells are not all numbers of one way; `truths` are the columns where every cell is a truth value.
    """

    names: tuple[str, ...]
    fields: tuple[str, ...]
    prose: int | None
    title: int | None
    id: int | None
    decimals: tuple[Decimals | None, ...]
    truths: frozenset[int]

    def value(self, row: Row, at: int) -> Scalar:
        """A cell as metadata: its value where the file or the whole column gives it a kind, else its text."""
        held, text = row.value(at), row.cell(at)
        if held is not None:
            return held
        if at in self.truths:
            return _TRUTHS.get(text.lower(), text)
        decimals = self.decimals[at]
        number = number_form(text) if decimals else None
        return number.value(decimals) if number and decimals else row.cells[at]


class Survey:
    """Looks at all rows of a table, to tell what its columns are."""

    def __init__(self, name: str, names: Sequence[str], *, commas_part: bool) -> None:
        self._name = name
        self._names = tuple(names)
        self._commas_part = commas_part
        self._numbers: list[NumberColumn] = []
        self._truths: list[set[str]] = []
        self._lengths: list[int] = []
        self._ids: set[str] = set()
        self._repeated = self._without_id = False
        self._id = _first([one.lower() for one in names], _ID_NAMES)
        self._rows = 0

    def add(self, row: Row) -> None:
        """Takes in a row. Raises UnreadableDocument where it has too many cells."""
        extent = row.extent
        if extent > MOST_COLUMNS:
            raise UnreadableDocument(self._name, f"has over {MOST_COLUMNS} columns; that many are read")
        self._widen(extent)
        self._rows += 1
        for at in range(extent):
            text = row.cell(at)
            self._lengths[at] += len(text)
            numbers, truths = self._numbers[at], self._truths[at]
            if not (numbers.all_numbers or len(truths) < 3):
                continue
            held = row.value(at)
            if isinstance(held, (bool, int, float)) or is_missing(text):
                continue
            numbers.add(text if held is None else "")
            if len(truths) < 3:
                truths.add(text.lower())
        self._add_id(row)

    def columns(self) -> Columns:
        """The columns."""
        self._widen(len(self._names))
        folded = [name.lower() for name in self._names]
        title, prose = _first(folded, _TITLE_NAMES), self._prose(folded)
        width = len(self._lengths)
        return Columns(
            self._names,
            tuple(_unique([_field(name, at) for at, name in enumerate(self._padded(width), 1)])),
            prose,
            None if title == prose else title,
            None if self.has_repeated_ids() else self._id,
            tuple(one.decimals(self._numbers, commas_part=self._commas_part) for one in self._numbers),
            frozenset(at for at, one in enumerate(self._truths) if one and one <= set(_TRUTHS)),
        )

    def has_repeated_ids(self) -> bool:
        """Whether a column of ids cannot tell the rows apart."""
        taken = self._without_id and any(map(str.isdecimal, self._ids))
        return self._id is not None and (self._repeated or taken)

    def _padded(self, width: int) -> list[str]:
        return [*self._names, *[""] * (width - len(self._names))]

    def _widen(self, width: int) -> None:
        for at in range(len(self._lengths), width):
            self._numbers.append(NumberColumn(self._names[at] if at < len(self._names) else ""))
            self._truths.append(set())
            self._lengths.append(0)

    def _add_id(self, row: Row) -> None:
        if self._id is not None and not self._repeated:
            identity = row.cell(self._id)
            self._repeated = identity in self._ids
            self._without_id = self._without_id or not identity
            if identity:
                self._ids.add(identity)

    def _prose(self, folded: Sequence[str]) -> int | None:
        named = _first(folded, _PROSE_NAMES)
        if named is not None or not self._rows:
            return named
        longest = max(range(len(self._lengths)), key=self._lengths.__getitem__, default=None)
        long = longest is not None and self._lengths[longest] > _PROSE_CHARACTERS * self._rows
        return longest if long else None


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
