"""Where a table begins: the lines above it, and the rows that name its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.corpus.loaders.tabular.header import Evidence, Verdict, evidence
from retrieval.corpus.loaders.tabular.levels import is_group, is_units
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.corpus.loaders.tabular.words import names_a_column

_MOST_ABOVE = 10
_MOST_HEADERS = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """The first `above` rows stand above the table, the next `headers` name its columns.

    `certain` is False where the row that names them may be data. `width` is how many cells most rows have.
    """

    above: int
    headers: int
    certain: bool
    width: int


def opening(rows: Sequence[Row]) -> Opening:
    """The opening of a table, by its first rows; none of them is blank.

    >>> rows = [Row(1, ["Prices", " 2024"]), Row(2, ["sku", "price"]), Row(3, ["A", "5"])]
    >>> opening(rows)
    Opening(above=1, headers=1, certain=True, width=2)
    """
    width = usual_width(rows)
    if width < 2 and all(len(row.texts()) < 2 for row in rows):
        return Opening(0, int(bool(rows) and _names_one_column(rows)), True, 1)
    found = [evidence(row, rows[at + 1 :]) for at, row in enumerate(rows[: _MOST_ABOVE + 1])]
    named_at = _names_at(rows, found, width)
    if named_at is not None:
        return _with_headers(rows, found, named_at, width)
    above = 0
    while above < len(found) - 1 and _is_line(rows, above, width):
        above += 1
    verdict = found[above].verdict
    if verdict is Verdict.NAMES:
        return _with_headers(rows, found, above, width)
    return Opening(above, int(verdict is not Verdict.DATA), False, width)


def _names_one_column(rows: Sequence[Row]) -> bool:
    """Whether the first of single cells is their name: there its place among them says little."""
    first = rows[0]
    found = evidence(first, rows[1:])
    is_sure = found.by_kind or first.names or first.bold or names_a_column(first.texts()[0])
    return found.verdict is Verdict.NAMES and is_sure


def usual_width(rows: Sequence[Row]) -> int:
    """How many cells most rows have, up to their last that is not blank; the larger of two such numbers."""
    widths = Counter(row.extent for row in rows)
    widths.pop(1, None) if len(widths) > 1 else None
    return max(widths, key=lambda one: (widths[one], one), default=0)


def is_spaced(row: Row, others: Sequence[Row]) -> bool:
    """Whether a row is a sentence that a comma cut: cells begin with a space, where few others do."""
    if not any(cell.startswith(" ") and cell.strip() for cell in row.cells[1:]):
        return False
    begins = [cell.startswith(" ") for other in others for cell in other.cells[1:] if cell.strip()]
    return sum(begins) * 10 <= len(begins)


def has_one_text(row: Row) -> bool:
    """Whether all that a row says is one text, which may cover several places."""
    texts = row.texts()
    return len(texts) == 1 or (row.spanned and len(set(texts)) == 1)


def _names_at(rows: Sequence[Row], found: Sequence[Evidence], width: int) -> int | None:
    """The first row that names columns, with nothing but lines of text above it."""
    for at, one in enumerate(found):
        if one.verdict is Verdict.NAMES and not _is_beaten(rows, found, at, width):
            return at
        if not _is_text(rows, at, width) and (
            one.verdict is Verdict.DATA or one.names >= 1 or not _by_kind(found, at + 1)
        ):
            return None
    return None


def _is_beaten(rows: Sequence[Row], found: Sequence[Evidence], at: int, width: int) -> bool:
    """Whether a row that could name columns is a line of text above the one that does."""
    if has_one_text(rows[at]) and width > 1 and at + 1 < len(rows):
        return True
    later = [one for one in range(at + 1, min(at + 4, len(found))) if found[one].verdict is Verdict.NAMES]
    if not later or not all(_is_text(rows, one, width) for one in range(at + 1, later[0])):
        return False
    if _is_text(rows, at, width):
        return True
    has_number = any(sign.isdigit() for text in rows[at].texts() for sign in text)
    return has_number and not found[at].by_kind and found[later[0]].by_kind and not rows[at].spanned


def _by_kind(found: Sequence[Evidence], at: int) -> bool:
    return at < len(found) and found[at].verdict is Verdict.NAMES and found[at].by_kind


def _is_text(rows: Sequence[Row], at: int, width: int) -> bool:
    """Whether a row may be a line of text above a table: one text, narrow, or cut at a comma."""
    row = rows[at]
    return (has_one_text(row) and width > 1) or row.extent < width or is_spaced(row, rows[at + 1 :])


def _is_line(rows: Sequence[Row], at: int, width: int) -> bool:
    """The same where no row is sure to name columns: then only rows of even width may stand below."""
    if has_one_text(rows[at]) and width > 1:
        return True
    even = sum(row.extent == width for row in rows[at + 1 :])
    verdict = evidence(rows[at + 1], rows[at + 2 :]).verdict
    return (
        rows[at].extent < width
        and even >= 0.8 * len(rows[at + 1 :]) > 1
        and verdict is Verdict.UNKNOWN
        and rows[at + 1].extent == width
    )


def _with_headers(rows: Sequence[Row], found: Sequence[Evidence], at: int, width: int) -> Opening:
    """The opening with all rows that name columns: those of spanned cells next to the first, too."""
    first = last = at
    while (
        first
        and rows[first - 1].spanned
        and not has_one_text(rows[first - 1])
        and last - first < _MOST_HEADERS
    ):
        first -= 1
    while rows[last].spanned and last - first < _MOST_HEADERS and _by_kind(found, last + 1):
        last += 1
    if first == last and not rows[first].spanned:
        first, last = _with_levels(rows, found, first)
    if last + 1 < len(rows) and is_units(rows[last + 1], rows[last + 2 :]):
        last += 1
    return Opening(first, last - first + 1, True, width)


def _with_levels(rows: Sequence[Row], found: Sequence[Evidence], at: int) -> tuple[int, int]:
    """The first and last row of a header, where groups of columns stand above their names."""
    if at and not rows[at - 1].spanned and is_group(rows[at - 1], rows[at]):
        return at - 1, at
    below = at + 1 < len(rows) and not has_one_text(rows[at + 1]) and _by_kind(found, at + 1)
    return (at, at + 1) if below and is_group(rows[at], rows[at + 1]) else (at, at)
