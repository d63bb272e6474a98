"""Characters of a page, by position, as lines of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

_SAME_LINE = 0.5  # of the size, between baselines; superscripts are raised by a third
_SPACE = 0.2  # of the size: a gap that is a space
_APART = 1.5  # of the size: a gap that parts columns or cells
_TWICE = 0.15  # of the size: the same character this near is one in fake bold
_SMALL, _RAISED = 0.8, 0.15  # a superscript's size and height, of the line's size
_POWER_OF = re.compile(r"(?:^|[\s(=×*/])(?:\d{1,3}|[^\W\d]{1,2})$")


class Character(NamedTuple):
    """A character with its left and right end, its baseline and its font's size, in points."""

    text: str
    left: float
    right: float
    baseline: float
    size: float


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of text on one baseline without a wide gap; `number` is that of the row it stands in."""

    text: str
    left: float
    right: float
    baseline: float
    size: float


def rows_of(characters: Sequence[Character]) -> list[list[Line]]:
    """The rows of a page from top to bottom, each of lines from left to right, parted by wide gaps."""
    rows = []
    for row in _by_baseline([one for one in characters if one.text.strip() and one.size > 0]):
        lines = [line for part in _parts(_once(row)) if (line := _line(part)).text]
        if lines:
            rows.append(lines)
    return rows


def _by_baseline(characters: list[Character]) -> Iterator[list[Character]]:
    """Large characters find the rows; smaller ones near a row belong to it."""
    rows: list[tuple[float, float, list[Character]]] = []
    for one in sorted(characters, key=lambda one: (-one.baseline, one.left)):
        if rows:
            baseline, size, members = rows[-1]
            if abs(baseline - one.baseline) <= _SAME_LINE * max(size, one.size) * 0.9:
                members.append(one)
                if one.size > size * 1.05:  # the row began with a superscript
                    rows[-1] = (one.baseline, one.size, members)
                continue
        rows.append((one.baseline, one.size, [one]))
    for _, _, members in rows:
        yield sorted(members, key=lambda one: one.left)


def _once(row: list[Character]) -> list[Character]:
    kept: list[Character] = []
    for one in row:
        near = (
            other
            for other in kept[-3:]
            if other.text == one.text
            and abs(other.left - one.left) < _TWICE * one.size
            and abs(other.baseline - one.baseline) < _TWICE * one.size
        )
        if next(near, None) is None:
            kept.append(one)
    return kept


def _parts(row: list[Character]) -> Iterator[list[Character]]:
    part: list[Character] = []
    right = 0.0
    for one in row:
        if part and one.left - right > _APART * max(one.size, part[-1].size):
            yield part
            part = []
        right = max(right, one.right) if part else one.right
        part.append(one)
    if part:
        yield part


def _line(part: list[Character]) -> Line:
    size = max(one.size for one in part)
    baseline = median(one.baseline for one in part if one.size >= _SMALL * size)
    text = ""
    raised = False
    for at, one in enumerate(part):
        gap = one.left - part[at - 1].right if at else 0.0
        now = one.size < _SMALL * size and one.baseline - baseline > _RAISED * size
        if raised and not now and text[-1:] != "]" and " [" in text[-6:]:
            text += "]"
        if gap > _SPACE * one.size:
            text += " "
        if now and not raised and one.text.isalnum() and text and not text.endswith(" "):
            text += "^" if _POWER_OF.search(text) else " ["
        text += one.text
        raised = now
    if raised and re.search(r" \[\w{1,3}$", text):
        text += "]"
    return Line(folded(text).strip(), part[0].left, max(one.right for one in part), baseline, size)


def folded(text: str) -> str:
    """Ligatures as their letters; the mark that pdfium has for a hyphen at a line end as a hyphen."""
    text = text.replace("\x02", "-").replace("\ufffe", "-")
    return "".join(unicodedata.normalize("NFKC", one) if "\ufb00" <= one <= "\ufb06" else one for one in text)
