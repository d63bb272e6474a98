"""The best of many scored passages, in the order every hit list has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Float32, Hits, Int64

NO_HITS = Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
"""What a retriever returns when nothing matches."""


def best_hits(numbers: Int64, scores: NDArray[np.floating], limit: int) -> Hits:
    """The `limit` best passages, best first, ties by number; only as many are sorted as are returned.

    >>> best_hits(np.array([7, 3, 5]), np.array([0.5, 0.5, 0.9]), 2)
    Hits(numbers=array([5, 3]), scores=array([0.9, 0.5], dtype=float32))
    """
    if limit < 1:
        return NO_HITS
    # Scores are rounded before they are compared: what looks equal to a caller is a tie.
    rounded: Float32 = np.asarray(scores, np.float32)
    if limit < len(rounded):
        bound = np.partition(rounded, len(rounded) - limit)[len(rounded) - limit]
        kept = np.flatnonzero(rounded >= bound)
        numbers, rounded = numbers[kept], rounded[kept]
    order = np.lexsort((numbers, -rounded))[:limit]
    return Hits(numbers[order], rounded[order])
