"""XTR and MaxSim as their papers write them: slow, float64, for the tests to hold the fast code to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def maxsim_reference(query: ArrayLike, passage: ArrayLike) -> float:
    """Mean over query tokens of the best similarity to a passage token (Khattab and Zaharia 2020, eq. 3)."""
    similarities = np.asarray(query, np.float64) @ np.asarray(passage, np.float64).T
    return float(similarities.max(axis=1).mean())


def xtr_reference(similarities: ArrayLike, passages: ArrayLike) -> dict[int, float]:
    """Scores of the passages retrieved by at least one query token (Lee et al. 2023, eqs. 3 and 5).

    `similarities` (q, k) and `passages` (q, k) are what each query token retrieved; -1 is no passage.
    One that retrieved nothing of a passage gives it m_i, the lowest similarity that it did retrieve.
    """
    sims, ids = np.asarray(similarities, np.float64), np.asarray(passages)
    scores: dict[int, float] = {}
    for passage in sorted({int(one) for one in ids.flat if one >= 0}):
        total = 0.0
        for row, owners in zip(sims, ids, strict=True):
            retrieved = row[owners >= 0]
            if retrieved.size:
                own = row[owners == passage]
                total += own.max() if own.size else retrieved.min()
        scores[passage] = total / len(sims)
    return scores
