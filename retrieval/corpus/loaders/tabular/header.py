"""Whether a table's first row names its columns, by what it has in common with the rows below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from retrieval.corpus.loaders.tabular.columns import is_ours
from retrieval.corpus.loaders.tabular.kinds import Kind, kind_of, shape
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.corpus.loaders.tabular.words import names_a_column

_YEARS = range(1500, 2200)
_SURE = 1.5
_MARGIN = 2.0
_DECLARED = 10.0
_MOST_BELOW = 50
_SENTENCE = 40


class Verdict(Enum):
    """What a first row is."""

    NAMES = "names of columns"
    DATA = "data"
    UNKNOWN = "either"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Votes that a row names columns, and that it is data; `by_kind`: words in it stand over other kinds."""

    names: float
    data: float
    by_kind: bool

    @property
    def verdict(self) -> Verdict:
        """What the votes say together."""
        lead = self.names - self.data
        if lead >= (_MARGIN if self.data else _SURE):
            return Verdict.NAMES
        return Verdict.DATA if lead <= -_MARGIN else Verdict.UNKNOWN


def evidence(first: Row, below: Sequence[Row]) -> Evidence:
    """What a row's cells say, each compared with the cells below it.

    >>> evidence(Row(1, ["sku", "price"]), [Row(2, ["A", "5"]), Row(3, ["B", "7"])]).verdict.value
    'names of columns'
    >>> evidence(Row(1, ["Ada", "5"]), [Row(2, ["Bo", "7"])]).verdict.value
    'data'
    """
    if first.names:
        return Evidence(_DECLARED, 0, True)
    below = [
        row for row in below[:_MOST_BELOW] if list(row.cells) != list(first.cells) and not row.is_one_line()
    ]
    if not below:
        return _alone(first)
    names = _SURE if first.bold and not any(row.bold for row in below) else 0.0
    data = 0.0
    by_kind = False
    years = _names_years(first)
    if years:
        names += _MARGIN
    for at in range(first.extent):
        if not first.cell(at) or (first.spanned and below[0].cell(at) == first.cell(at)):
            continue
        column = _Column.of(at, below)
        for_names, for_data = column.votes(first, year=at in years)
        by_kind = by_kind or (for_names >= _SURE and column.kind is not Kind.WORDS)
        names, data = names + for_names, data + for_data
    return Evidence(names, data, by_kind)


def _alone(row: Row) -> Evidence:
    """A single row names columns if most of its cells read as names. One cell is what its sheet says, unless
    it is the name of a column that tables of documents have."""
    texts = row.texts()
    named = [text for text in texts if (names_a_column if len(texts) > 1 else is_ours)(text)]
    return Evidence(_SURE, 0, False) if len(named) * 2 >= len(texts) > 0 else Evidence(0, _MARGIN, False)


def _names_years(row: Row) -> set[int]:
    """The columns that years name: several different ones beside other names."""
    years = [
        at for at in range(row.extent) if row.cell(at).isdecimal() and len(row.cell(at)) == 4
        and int(row.cell(at)) in _YEARS
    ]  # fmt: skip
    others = len(row.texts()) - len(years)
    different = len({row.cell(at) for at in years}) == len(years)
    return set(years) if len(years) > 1 and different and others else set()


@dataclass(frozen=True, slots=True)
class _Column:
    """The cells below one cell of the first row: their texts, and the kind that most of them are of."""

    at: int
    texts: Sequence[str]
    kind: Kind
    share: float

    @classmethod
    def of(cls, at: int, rows: Sequence[Row]) -> _Column:
        cells = [(row.cell(at), row.value(at)) for row in rows]
        kinds = [(text, kind_of(text, value)) for text, value in cells]
        known = [(text, kind) for text, kind in kinds if kind is not Kind.BLANK]
        if not known:
            return cls(at, (), Kind.BLANK, 0.0)
        kind, count = Counter(kind for _, kind in known).most_common(1)[0]
        share = count / len(known)
        return cls(at, [text for text, _ in known], kind if share > 0.5 else Kind.WORDS, share)

    def votes(self, first: Row, *, year: bool) -> tuple[float, float]:
        """For names, and for data."""
        text = first.cell(self.at)
        kind = kind_of(text, first.value(self.at))
        if kind is Kind.BLANK or not self.texts or not any(map(str.isalnum, text)):
            return (_SURE if self.texts == () and names_a_column(text) else 0.0), 0.0
        if year or (kind is Kind.NUMBER and self.kind is Kind.NUMBER and self._is_odd_year(text)):
            return 0.0, 0.0
        if text in self.texts:
            return 0.0, _MARGIN
        if self.kind is Kind.WORDS:
            return self._votes_of_words(text, kind)
        return self._votes_of_kind(text, kind)

    def _is_odd_year(self, text: str) -> bool:
        """Whether it is a year over numbers that are none, such as 2024 over amounts."""
        is_year = [
            cell.isdecimal() and len(cell) == 4 and int(cell) in _YEARS for cell in (text, *self.texts)
        ]
        return is_year[0] and sum(is_year[1:]) * 2 < len(self.texts)

    def _votes_of_kind(self, text: str, kind: Kind) -> tuple[float, float]:
        if kind is not self.kind:
            strange = kind in (Kind.NUMBER, Kind.TRUTH)
            return (0.0 if strange else _MARGIN * self.share), 0.0
        if kind is not Kind.CODE:
            return 0.0, _MARGIN
        shapes = {shape(cell) for cell in self.texts}
        return (0.0, _MARGIN) if shape(text) in shapes else (0.5, 0.0)

    def _votes_of_words(self, text: str, kind: Kind) -> tuple[float, float]:
        if kind in (Kind.NUMBER, Kind.TRUTH, Kind.DATE, Kind.ADDRESS):
            return 0.0, 0.5
        if names_a_column(text) and sum(map(names_a_column, self.texts)) * 5 <= len(self.texts):
            return _SURE, 0.0
        if len(text) > _SENTENCE and " " in text and not text.endswith("?"):
            return 0.0, 1.0
        return max(self._repeats(), self._lengths(text), self._casing(text)), 0.0

    def _repeats(self) -> float:
        """Every value comes again, but not the first row's: a name over a few values."""
        times = Counter(self.texts)
        return _SURE if len(self.texts) >= 5 and min(times.values()) > 1 else 0.0

    def _lengths(self, text: str) -> float:
        """A short cell over long texts, or one of another length over those of one."""
        lengths = [len(cell) for cell in self.texts]
        if min(lengths) > 2 * len(text) and sum(lengths) > _SENTENCE * len(lengths):
            return _SURE
        uniform = len(lengths) > 2 and len(set(lengths)) == 1
        return 1.0 if uniform and lengths[0] != len(text) and lengths[0] <= 3 else 0.0

    def _casing(self, text: str) -> float:
        """All cells below begin with a capital and this one does not, or it alone is in capitals."""
        styles = {_style(cell) for cell in self.texts}
        odd = len(self.texts) > 1 and len(styles) == 1 and _style(text) not in styles
        return 1.0 if odd else 0.0


def _style(text: str) -> str:
    letters = [sign for sign in text if sign.isalpha()]
    if not letters or letters[0].upper() == letters[0].lower():
        return ""
    if len(letters) > 1 and all(map(str.isupper, letters)):
        return "capitals"
    return "capital" if letters[0].isupper() else "small"
