"""The scores themselves, as shares of the most that each retriever could have given."""

from __future__ import annotations

import numpy as np
from excerpta.types.fuse import Scores
from numpy.typing import NDArray

from base.methods import Method
from retrieval.fusion.base import Float64, Fusion
from retrieval.types import Hits


def shares(scores: NDArray[np.floating], ceiling: float | None = None) -> Float64:
    """Scores as shares of `ceiling`, or of the best of them; as they are where that is not above 0.

    >>> shares(np.array([8.0, 6.0])).tolist(), shares(np.array([8.0, 6.0]), 16.0).tolist()
    ([1.0, 0.75], [0.5, 0.375])
    """
    exact = scores.astype(np.float64)
    whole = exact.max(initial=0.0) if ceiling is None else ceiling
    return exact / whole if whole > 0 else exact


def _points(hits: Hits, options: Scores, ceiling: float | None) -> Float64:
    return shares(hits.scores, ceiling)


METHOD = Method(Scores, lambda networks: Fusion(_points, completes=True))
