"""Passage scores from retrieved tokens (XTR)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.tokens.kernels import passage_totals
from retrieval.top import best_hits
from retrieval.types import Float32, Hits, Int64

NOTHING = -1
"""The passage of an empty place."""


def xtr_scores(
    similarities: Float32,
    passages: Int64,
    *,
    limit: int | None = None,
    weights: NDArray[np.floating] | None = None,
    bound: NDArray[np.floating] | None = None,
) -> Hits:
    """The `limit` best of all passages that any query token retrieved a token of; None is all of them.

    `similarities` and `passages` (q, k) are what each of q query tokens retrieved, in any order; NOTHING
    marks an empty place. A passage's score is the mean over query tokens of its best retrieved similarity
    or, where that query token retrieved none of its tokens, of the lowest similarity that it did retrieve,
    which no token left out can exceed (Lee et al. 2023, eqs. 3 and 5). A query token that retrieved nothing
    at all adds 0. With every token retrieved this is exact MaxSim. Time grows with q * k: nothing is sorted
    but the passages returned.

    `weights` (q,) makes the mean a weighted one. `bound` (q,) stands in place of the lowest similarity, and
    of everything below it: another guess of what was not retrieved.

    >>> hits = xtr_scores(np.array([[0.9, 0.5], [0.7, 0.6]], "f4"), np.array([[3, 8], [8, 8]]))
    >>> hits.numbers.tolist(), hits.scores.round(2).astype(str).tolist()
    ([3, 8], ['0.75', '0.6'])
    """
    given = np.ones(len(similarities)) if weights is None else np.asarray(weights, np.float64)
    lowest = lowest_retrieved(similarities, passages) if bound is None else np.asarray(bound, np.float64)
    numbers, totals = passage_totals(
        np.ascontiguousarray(similarities, np.float32),
        np.ascontiguousarray(passages, np.int64),
        lowest,
        given,
        int(passages.max(initial=-1)),
    )
    scores = (totals + lowest @ given) / max(given.sum(), np.finfo(float).tiny)
    return best_hits(numbers, scores, len(numbers) if limit is None else limit)


def lowest_retrieved(similarities: Float32, passages: Int64) -> NDArray[np.float64]:
    """What each query token imputes (q,): the lowest similarity that it retrieved, 0 where it did nothing.

    >>> lowest_retrieved(np.array([[0.9, 0.5], [0.7, 0.6]], "f4"), np.array([[3, NOTHING], [8, 8]]))
    array([0.89999998, 0.60000002])
    """
    found = passages != NOTHING
    lowest: NDArray[np.float64] = (
        np.where(found, similarities, np.inf).min(axis=1, initial=np.inf).astype(np.float64)
    )
    lowest[np.isinf(lowest)] = 0.0
    return lowest
