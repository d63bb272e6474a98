"""Overlapping pieces of a text that is longer than the encoder reads at once."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.types import Int32


@dataclass(frozen=True, slots=True)
class Window:
    """Characters to encode, half-open, and the part whose tokens count: the rest is context."""

    start: int
    end: int
    keep_from: int
    keep_to: int


def windows(offsets: Int32, limit: int, overlap: int) -> list[Window]:
    """Windows of at most `limit` tokens over a text's token offsets (n, 2); each token counts in one.

    Neighbours share about `overlap` tokens, under half of `limit`, and each side of the middle counts
    where it has more context. Windows begin and end between words where they can, so that a piece has
    the tokens it has in the text.

    >>> import numpy as np
    >>> words = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], np.int32)
    >>> [(w.start, w.end, w.keep_from, w.keep_to) for w in windows(words, 3, 1)]
    [(0, 5, 0, 4), (4, 9, 4, 9)]
    """
    found: list[Window] = []
    first, keep_from = 0, 0
    while first + limit < len(offsets):
        last = _word_start(offsets, first + limit, overlap)
        following = _word_start(offsets, last - overlap, overlap // 2) if overlap else last
        keep_to = int(offsets[(following + last) // 2, 0])
        found.append(Window(int(offsets[first, 0]), int(offsets[last - 1, 1]), keep_from, keep_to))
        first, keep_from = following, keep_to
    if len(offsets):
        end = int(offsets[-1, 1])
        found.append(Window(int(offsets[first, 0]), end, keep_from, end))
    return found


def _word_start(offsets: Int32, at: int, reach: int) -> int:
    """The nearest token at or before `at` that a space stands before, at most `reach` back; else `at`."""
    for candidate in range(at, max(0, at - reach), -1):
        if offsets[candidate, 0] > offsets[candidate - 1, 1]:
            return candidate
    return at
