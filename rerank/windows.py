"""Sliding windows over a ranking that is longer than one prompt can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.executor import breathe


def windows(count: int, size: int, stride: int) -> list[tuple[int, int]]:
    """Half-open windows over `count` places, back to front, the last one always at the top.

    >>> windows(21, 20, 10)
    [(1, 21), (0, 20)]
    >>> len(windows(100, 20, 10))
    9
    """
    if count <= 0:
        return []
    starts = range(count - size, 0, -stride)
    return [(start, start + size) for start in starts] + [(0, min(size, count))]


def fitting(lengths: Sequence[int], size: int, stride: int, budget: int) -> tuple[int, int]:
    """The window, at most `size`, of which any passages have `budget` tokens together; and its stride.

    Two passages at least stand in a window. The stride shrinks with it.

    >>> fitting([100] * 50, 20, 10, 1000)
    (10, 5)
    """
    total, fits = 0, 0
    for length in sorted(lengths, reverse=True)[:size]:
        total += length
        if total > budget:
            break
        fits += 1
    if fits == min(size, len(lengths)):
        return size, stride
    fits = max(fits, 2)
    return fits, max(1, stride * fits // size)


def orders_of(count: int, orders: int) -> list[NDArray[np.int64]]:
    """Orders in which `count` places are read: as they stand, backwards, then drawn ones, always the same.

    >>> [one.tolist() for one in orders_of(3, 2)]
    [[0, 1, 2], [2, 1, 0]]
    """
    straight = np.arange(count, dtype=np.int64)
    drawn = (np.random.default_rng(seed).permutation(straight) for seed in range(orders - 2))
    return [straight, straight[::-1], *drawn][:orders]


def slide(
    count: int, size: int, stride: int, score: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Ranks `count` items by windows; gives the order, each item's last score and the windows used.

    `score` gets the items (m,) that stand in a window, in their present order, and gives their scores
    (m,); the window is then sorted by them, equal scores keeping their order. Back to front, so that a
    good item at the end climbs window by window (Sun et al. 2023, section 3.2).
    """
    order = np.arange(count, dtype=np.int64)
    scores = np.zeros(count, dtype=np.float64)
    spans = windows(count, size, stride)
    for start, end in spans:
        breathe()
        items = order[start:end].copy()
        found = score(items)
        scores[items] = found
        order[start:end] = items[np.argsort(-found, kind="stable")]
    return order, scores, len(spans)
