"""Characters of a page, by position, as lines of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from retrieval.corpus.loaders.printed.raised import with_mark

_SAME_LINE = 0.45  # of the size, between baselines; superscripts are raised by a third
_SPACE, _SURE = 0.2, 0.5  # of the size: a gap that is a space, also where pdfium has none
_APART = 0.75  # of the size: a gap wider than the spaces of justified text
_CELLS = 1.5  # of the size: a gap that parts cells
_TWICE = 0.15  # of the size: the same character this near is one in fake bold
_SMALL, _RAISED = 0.8, 0.15  # a superscript's size and height, of the line's size


class Character(NamedTuple):
    """A character with its left and right end, its baseline and its font's size, in points.

    `order` counts characters as the file draws them, -1 if that is unknown; `spaced` says whether pdfium sees
    a space between it and the one drawn before.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    order: int = -1
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of text on one baseline without a wide gap."""

    text: str
    left: float
    right: float
    baseline: float
    size: float


def rows_of(characters: Sequence[Character]) -> list[list[Line]]:
    """The rows of a page from top to bottom, each of lines from left to right, parted by wide gaps."""
    rows = []
    for row in _by_baseline([one for one in characters if one.text.strip() and one.size > 0]):
        lines = [line for part in _parts(_in_order(_once(row))) if (line := _line(part)).text]
        if lines:
            rows.append(lines)
    return rows


def joined(row: Sequence[Line]) -> list[Line]:
    """A row whose lines are parted only by gaps as between cells."""
    lines: list[Line] = []
    for line in row:
        last = lines[-1] if lines else None
        if last is None or line.left - last.right > _CELLS * max(line.size, last.size):
            lines.append(line)
        else:
            text = f"{last.text} {line.text}"
            size = max(last, line, key=lambda one: len(one.text)).size
            lines[-1] = Line(text, last.left, max(last.right, line.right), last.baseline, size)
    return lines


def _by_baseline(characters: list[Character]) -> Iterator[list[Character]]:
    """Large characters find the rows; smaller ones near a row belong to it."""
    rows: list[tuple[float, float, list[Character]]] = []
    for one in sorted(characters, key=lambda one: (-one.baseline, one.left)):
        if rows:
            baseline, size, members = rows[-1]
            if abs(baseline - one.baseline) <= _reach(size, one.size):
                members.append(one)
                if size < _SMALL * one.size:  # the row began with a superscript
                    rows[-1] = (one.baseline, one.size, members)
                continue
        rows.append((one.baseline, one.size, [one]))
    for _, _, members in rows:
        yield from _untangled(sorted(members, key=lambda one: one.left))


def _untangled(row: list[Character]) -> Iterator[list[Character]]:
    """Two lines that came into one row because a third stands between them."""
    crossing = sum(
        one.left < last.right - 0.3 * one.size
        and abs(one.baseline - last.baseline) > 0.3 * one.size
        and _SMALL < one.size / last.size < 1 / _SMALL
        for last, one in pairwise(row)
    )
    if crossing < 2:
        yield row
        return
    middle = (max(one.baseline for one in row) + min(one.baseline for one in row)) / 2
    yield [one for one in row if one.baseline >= middle]
    yield [one for one in row if one.baseline < middle]


def _reach(size: float, other: float) -> float:
    """How far apart baselines of one row are: a superscript is raised, and a huge sign takes in no rows."""
    small, large = sorted((size, other))
    if small < 0.4 * large:
        return _SAME_LINE * small
    return (0.6 if small < _SMALL * large else _SAME_LINE) * large


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


def _in_order(row: list[Character]) -> list[Character]:
    """Words from left to right: those drawn over each other are not mixed by letters."""
    words: list[list[Character]] = []
    for one in sorted(row, key=lambda one: one.order):
        last = words[-1][-1] if words else None
        if last is not None and _drawn_next(last, one) and not one.spaced:
            words[-1].append(one)
        else:
            words.append([one])
    words.sort(key=lambda word: word[0].left)
    return [one for word in words for one in word]


def _drawn_next(last: Character, one: Character) -> bool:
    gap = one.left - last.right
    return one.order == last.order + 1 > 0 and -0.5 * one.size < gap < _SPACE * one.size


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
    text = mark = ""
    for at, one in enumerate(part):
        space = " " if at and _spaced(part[at - 1], one) else ""
        if one.size < _SMALL * size and one.baseline - baseline > _RAISED * size:
            if space and not mark:
                text += space
            mark += one.text
            continue
        if mark and one.text in "/\u2044":
            text += f"{' ' if text[-1:].isalnum() else ''}{mark}{one.text}"
        else:
            text = f"{with_mark(text, mark)}{space}{one.text}"
        mark = ""
    left, right = min(one.left for one in part), max(one.right for one in part)
    usual = median(one.size for one in part)
    return Line(folded(with_mark(text, mark)).strip(), left, right, baseline, usual)


def _spaced(last: Character, one: Character) -> bool:
    gap = one.left - last.right
    if one.order == last.order + 1 > 0:
        return one.spaced or gap > _SURE * one.size
    return gap > (_SPACE / 2 if one.spaced else _SPACE) * one.size


def folded(text: str) -> str:
    """Ligatures as their letters; the mark that pdfium has for a hyphen at a line end as a hyphen."""
    text = text.replace("\x02", "-").replace("\ufffe", "-")
    return "".join(unicodedata.normalize("NFKC", one) if "\ufb00" <= one <= "\ufb06" else one for one in text)
