"""Shares of an expected text that were read: words, and cells of tables in their row and column."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import lxml.html

Rows: TypeAlias = list[list[str]]

_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"\]\([^)\n]*\)|\]: *\S+(?: +\"[^\"\n]*\")?|<(?:https?|mailto):[^>\n]*>")
_SEPARATOR = re.compile(r"; ")


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `of`; shares of several files add up."""

    part: int = 0
    of: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.of + other.of)

    @property
    def value(self) -> float:
        """From 0 to 1; 1 of nothing."""
        return self.part / self.of if self.of else 1.0


def words_of(text: str) -> list[str]:
    """Words in their plain form: letters and digits, in small letters.

    >>> words_of("The VALVE, No. 12; ﬁx it")
    ['the', 'valve', 'no', '12', 'fix', 'it']
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("\u00ad", ""))


def words_found(expected: Sequence[str], read: Sequence[str]) -> Share:
    """Words of the expected text that were read, in any order, each as often as it stands there."""
    return Share((Counter(expected) & Counter(read)).total(), len(expected))


def words_right(expected: Sequence[str], read: Sequence[str]) -> Share:
    """Words read that are in the expected text; names of columns are read with each row, and are right."""
    known = set(expected)
    return Share(sum(word in known for word in read), len(read))


def text_in(form: str, expected: str) -> str:
    """The text of an expected file without its marks; addresses of links are no text."""
    if form == "html":
        return "\n".join(_html(expected).itertext())
    if form == "markdown":
        return _ADDRESS.sub("]", expected)
    return expected


def tables_in(form: str, expected: str) -> list[Rows]:
    """The tables of an expected file, with spans resolved; a CSV file is one."""
    if form == "csv":
        return [list(csv.reader(io.StringIO(expected, newline="")))]
    if form != "html":
        return []
    tables = _html(expected).iter("table")
    return [_grid(table) for table in tables if next(table.iterdescendants("table"), None) is None]


def cells_right(tables: Sequence[Rows], read: Sequence[str]) -> Share:
    """Cells below the first row of each table that a row of text has under that name or at that place.

    `read` holds rows as documents have them: `name: value; name: value` or `value | value`.
    """
    total = Share()
    for table in tables:
        rows = _without_empty_columns(table)
        if not rows:
            continue
        names = rows[0]
        for cells in rows[1:]:
            best = max((_right(names, cells, row) for row in read), default=0)
            total += Share(best, sum(1 for cell in cells if cell))
    return total


def _right(names: Sequence[str], cells: Sequence[str], row: str) -> int:
    by_place = row.split(" | ")
    by_name = Counter(_SEPARATOR.split(row))
    right = 0
    for at, (name, cell) in enumerate(zip(names, cells, strict=False)):
        if cell:
            placed = len(by_place) > 1 and at < len(by_place) and by_place[at].strip() == cell
            right += placed or by_name[f"{name}: {cell}" if name else cell] > 0
    return right


def _without_empty_columns(table: Rows) -> Rows:
    rows = [[" ".join(cell.split()) for cell in row] for row in table]
    width = max(map(len, rows), default=0)
    full = [[*row, *[""] * (width - len(row))] for row in rows]
    kept = [column for column in range(width) if any(row[column] for row in full)]
    return [[row[column] for column in kept] for row in full]


def _grid(table: lxml.html.HtmlElement) -> Rows:
    taken: dict[tuple[int, int], str] = {}
    rows = list(table.iter("tr"))
    for at, row in enumerate(rows):
        column = 0
        for cell in row.iterchildren("td", "th"):
            while (at, column) in taken:
                column += 1
            down, across = int(cell.get("rowspan", 1)), int(cell.get("colspan", 1))
            for below in range(down):
                for beside in range(across):
                    taken[at + below, column + beside] = " ".join(cell.itertext())
            column += across
    width = max((column for _, column in taken), default=-1) + 1
    return [[taken.get((at, column), "") for column in range(width)] for at in range(len(rows))]


def _html(expected: str) -> lxml.html.HtmlElement:
    root = lxml.html.fromstring(f"<div>{expected}</div>")
    for unseen in list(root.iter("style", "script", "title")):
        unseen.drop_tree()
    for comment in list(root.iter(lxml.etree.Comment)):
        comment.drop_tree()
    return root
