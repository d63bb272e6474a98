"""Reciprocal rank fusion: only the places count."""

from __future__ import annotations

import numpy as np
from excerpta.types.fuse import Rrf

from base.methods import Method
from retrieval.fusion.base import Float64, Fusion
from retrieval.types import Hits


def reciprocal_ranks(count: int, k: int) -> Float64:
    """1 / (k + rank) for ranks 1 to `count` (Cormack et al. 2009).

    >>> reciprocal_ranks(2, 1).round(3).tolist()
    [0.5, 0.333]
    """
    return 1.0 / (k + np.arange(1, count + 1, dtype=np.float64))


def _points(hits: Hits, options: Rrf, ceiling: float | None) -> Float64:
    return reciprocal_ranks(len(hits), options.k)


METHOD = Method(Rrf, lambda networks: Fusion(_points))
