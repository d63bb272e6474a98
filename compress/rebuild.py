"""Builds the shortened text by cutting the source. It never adds text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from base.text.words import Spans, is_ideograph

Kept = tuple[tuple[int, int], ...]


def kept_spans(text: str, spans: Spans, keep: NDArray[np.bool_]) -> Kept:
    """The spans of `text` that stay when the words marked in `keep` (n,) stay.

    Between two kept words exactly one stretch of whitespace stays: the one with the most line breaks,
    else the first, so that lines survive the words between them. Where there is none ("a(b)c" without
    "b"), and the two would fuse to a word that nobody wrote, the shortest word between them stays too.
    """
    chosen = np.flatnonzero(keep)
    if len(chosen) == len(spans) > 0:
        return ((0, len(text)),)
    pieces: list[tuple[int, int]] = []
    previous = -1
    for index in chosen.tolist():
        if previous >= 0:
            pieces.extend(_between(text, spans, previous, index))
        pieces.append((int(spans[index, 0]), int(spans[index, 1])))
        previous = index
    return merge(pieces)


def _between(text: str, spans: Spans, left: int, right: int) -> list[tuple[int, int]]:
    """The source text that stays between two neighbouring kept words."""
    gaps = [(int(spans[at, 1]), int(spans[at + 1, 0])) for at in range(left, right)]
    gaps = [(start, end) for start, end in gaps if start < end]
    if gaps:
        return [max(gaps, key=lambda gap: text.count("\n", *gap))]
    if right == left + 1 or not fuse(text[spans[left, 1] - 1], text[spans[right, 0]]):
        return []
    between = ((int(start), int(end)) for start, end in spans[left + 1 : right])
    return [min(between, key=lambda span: span[1] - span[0])]


def fuse(left: str, right: str) -> bool:
    """Whether two characters side by side read as one word; ideographs do not."""
    return all(char.isalnum() and not is_ideograph(char) for char in (left, right))


def merge(pieces: list[tuple[int, int]]) -> Kept:
    """Ordered half-open spans with those that touch made one.

    >>> merge([(0, 3), (3, 4), (6, 9)])
    ((0, 4), (6, 9))
    """
    merged: list[tuple[int, int]] = []
    for start, end in pieces:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def cut(text: str, kept: Kept) -> str:
    """The kept spans of `text`, joined."""
    return "".join(text[start:end] for start, end in kept)
