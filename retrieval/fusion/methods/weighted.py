"""Scores brought to 0..1 within each list: the best of a list counts 1, its last 0."""

from __future__ import annotations

import numpy as np
from excerpta.types.fuse import Weighted
from numpy.typing import NDArray

from base.methods import Method
from retrieval.fusion.base import Float64, Fusion
from retrieval.types import Hits


def min_max(scores: NDArray[np.floating]) -> Float64:
    """Scores brought to 0..1; all 1 where they do not differ.

    >>> min_max(np.array([8.0, 6.0, 4.0])).tolist(), min_max(np.array([3.0])).tolist()
    ([1.0, 0.5, 0.0], [1.0])
    """
    exact = scores.astype(np.float64)
    if not len(exact) or exact.min() == exact.max():
        return np.ones_like(exact)
    scaled: Float64 = (exact - exact.min()) / (exact.max() - exact.min())
    return scaled


def _points(hits: Hits, options: Weighted, ceiling: float | None) -> Float64:
    return min_max(hits.scores)


METHOD = Method(Weighted, lambda networks: Fusion(_points))
