"""Columns of a page: gutters that no row crosses, with running text on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.corpus.loaders.printed.lines import Line

Row = list[Line]

_MOST_ROWS = 2_000  # of a page
_STEP = 1.0  # points between the places where a gutter is looked for
_GUTTER = 0.7  # of the size
_LEAST = 2  # rows with text on both sides
_WORDS, _FILLED = 4, 0.6  # of a line of running text: words, and width as a share of the wide lines'
_TEXT, _SOME_TEXT = 0.5, 0.2  # of the letters of a column stand in such lines; beside a longer column
_LONG = 8  # lines of a column that need not be running text alone, as one with figures
_NEAR = 2.2  # of the size: rows of one column are at most this far apart


class _Split(NamedTuple):
    """A gutter from `left` to `right` in rows `start` to `end`; `beside` of them stand beside others."""

    beside: int
    start: int
    end: int
    left: float
    right: float

    @property
    def place(self) -> float:
        """Its middle."""
        return (self.left + self.right) / 2


def columns(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows that are read together, in reading order: above a gutter, left of it, right of it, below it.

    Cells of a table are short and are no columns.
    """
    found = _split(rows) if sum(map(len, rows)) >= 2 * _LEAST and len(rows) <= _MOST_ROWS else None
    if found is None:
        if rows:
            yield rows
        return
    left, right = _sides(rows[found.start : found.end], found.place)
    yield from columns(rows[: found.start])
    yield from columns(left)
    yield from columns(right)
    yield from columns(rows[found.end :])


def _split(rows: list[Row]) -> _Split | None:
    """The gutter with most rows, of those with running text on both sides."""
    for run in _gutters(_candidates(rows)):
        trimmed = _trimmed(rows, run)
        left, right = _sides(rows[trimmed.start : trimmed.end], trimmed.place)
        if _are_columns(left, right):
            return trimmed
    return None


def _candidates(rows: list[Row]) -> Iterator[_Split]:
    """Stretches of places that are alike, for each run of rows that leave them free."""
    taken, first = _taken(rows)
    before = np.cumsum(taken, axis=1) > 0
    behind = np.cumsum(taken[:, ::-1], axis=1)[:, ::-1] > 0
    changes = np.flatnonzero((taken[:, 1:] != taken[:, :-1]).any(axis=0)) + 1
    for place, following in pairwise([0, *changes.tolist(), taken.shape[1]]):
        for start, end in _runs(~taken[:, place]):
            count = _beside(before[start:end, place], behind[start:end, place])
            if count >= _LEAST:
                yield _Split(count, start, end, first + place * _STEP, first + following * _STEP)


def _beside(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> int:
    """How many rows of each side stand beside the other side, at the least."""
    at_left, at_right = np.flatnonzero(left), np.flatnonzero(right)
    if not len(at_left) or not len(at_right):
        return 0
    top, bottom = max(at_left[0], at_right[0]) - 1, min(at_left[-1], at_right[-1]) + 1
    sides = (int(((side >= top) & (side <= bottom)).sum()) for side in (at_left, at_right))
    return min(sides)


def _taken(rows: list[Row]) -> tuple[NDArray[np.bool_], float]:
    """Which places each row takes, with half a gutter beside each line, and where the first place is."""
    left = min(line.left for row in rows for line in row)
    right = max(line.right for row in rows for line in row)
    taken = np.zeros((len(rows), max(1, int((right - left) / _STEP) + 1)), dtype=np.bool_)
    for at, row in enumerate(rows):
        for line in row:
            half = _GUTTER * line.size / 2
            start = max(0, int((line.left - half - left) / _STEP))
            taken[at, start : max(start, int(np.ceil((line.right + half - left) / _STEP)))] = True
    return taken, left


def _runs(free: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _gutters(candidates: Iterable[_Split]) -> Iterator[_Split]:
    """Neighbouring stretches of the same rows as one; those with most rows first, then the widest."""
    joined: dict[tuple[int, int], list[_Split]] = {}
    for one in candidates:
        same = joined.setdefault((one.start, one.end), [])
        if same and same[-1].right == one.left:
            same[-1] = same[-1]._replace(right=one.right, beside=max(one.beside, same[-1].beside))
        else:
            same.append(one)
    found = (one for same in joined.values() for one in same)
    yield from sorted(found, key=lambda one: (-one.beside, one.left - one.right))


def _trimmed(rows: list[Row], run: _Split) -> _Split:
    """Without rows at the top and bottom that stand apart and have text on one side only."""
    start, end = run.start, run.end
    while start < end - 1 and _one_sided(rows[start], run.place) and _far(rows[start], rows[start + 1]):
        start += 1
    while end - 1 > start and _one_sided(rows[end - 1], run.place) and _far(rows[end - 2], rows[end - 1]):
        end -= 1
    return run._replace(start=start, end=end)


def _one_sided(row: Row, place: float) -> bool:
    return row[-1].right <= place or row[0].left >= place


def _far(above: Row, below: Row) -> bool:
    return above[0].baseline - below[0].baseline > _NEAR * max(below[0].size, above[0].size)


def _sides(rows: list[Row], place: float) -> tuple[list[Row], list[Row]]:
    left = [part for row in rows if (part := [line for line in row if line.right <= place])]
    right = [part for row in rows if (part := [line for line in row if line.left >= place])]
    return left, right


def _are_columns(left: list[Row], right: list[Row]) -> bool:
    """Whether both sides hold running text; one of two long ones may be figures for the most part."""
    if len(left) < _LEAST or len(right) < _LEAST:
        return False
    less, more = sorted((_running(left), _running(right)))
    long = min(len(left), len(right)) >= _LONG
    return less >= _TEXT or (long and less >= _SOME_TEXT and more >= _TEXT)


def _running(rows: list[Row]) -> float:
    """The share of letters that stand in lines of running text."""
    lines = [line for row in rows for line in row]
    widths = sorted(line.right - line.left for line in lines)
    least = _FILLED * widths[int(0.8 * (len(widths) - 1))]
    running = (
        len(line.text)
        for line in lines
        if line.right - line.left >= least and len(line.text.split()) >= _WORDS
    )
    return sum(running) / sum(len(line.text) for line in lines)
