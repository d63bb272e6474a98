"""From retrieved tokens to passage scores (XTR), and exact scores from stored vectors (MaxSim)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from retrieval.types import Float32, Hits, Int64

NOTHING = -1


def xtr_scores(similarities: Float32, passages: Int64) -> Hits:
    """All passages that any query token retrieved, by XTR's score, ties by number.

    `similarities` (q, k) float32 and `passages` (q, k) int64 are what each query token retrieved, in any
    order; NOTHING marks an empty place. A passage's score is the mean over query tokens of its best
    retrieved similarity, or of the lowest similarity that query token retrieved where it has none of the
    passage's tokens (Lee et al. 2023, eqs. 3 and 5). A query token that retrieved nothing at all adds 0.

    >>> hits = xtr_scores(np.array([[0.9, 0.5], [0.7, 0.6]], "f4"), np.array([[3, 8], [8, 8]]))
    >>> hits.numbers.tolist(), hits.scores.round(2).astype(str).tolist()
    ([3, 8], ['0.75', '0.6'])
    """
    found = passages != NOTHING
    numbers, columns = np.unique(passages[found], return_inverse=True)
    if not len(numbers):
        return Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
    lowest = np.where(found, similarities, np.inf).min(axis=1, keepdims=True)
    lowest = np.where(np.isfinite(lowest), lowest, 0.0).astype(np.float32)
    gains = np.zeros((len(similarities), len(numbers)), np.float32)
    rows = np.nonzero(found)[0]
    np.maximum.at(gains, (rows, columns), (similarities - lowest)[found])
    scores = (gains.astype(np.float64).sum(axis=0) + lowest.astype(np.float64).sum()) / len(similarities)
    return best_first(numbers, scores)


def maxsim(query: Float32, passage: Float32) -> float:
    """Mean over query tokens (q, d) of the best similarity to a passage token (n, d); 0 for no tokens."""
    if not len(query) or not len(passage):
        return 0.0
    return float((query @ passage.T).max(axis=1).mean(dtype=np.float64))


def rescore(query: Float32, numbers: Iterable[int], vectors: Callable[[int], Float32]) -> Hits:
    """Exact MaxSim of each passage, best first, ties by number."""
    chosen = np.fromiter(numbers, np.int64)
    scores = np.array([maxsim(query, vectors(int(number))) for number in chosen], np.float64)
    return best_first(chosen, scores)


def refine(query: Float32, hits: Hits, count: int, vectors: Callable[[int], Float32]) -> Hits:
    """The first `count` hits ordered by exact MaxSim, then the others as they were.

    Both scores are means of similarities over query tokens. A refined passage stands before every other one
    even where imputation had scored that one higher: it was measured, the other was guessed.
    """
    head = rescore(query, hits.numbers[:count], vectors)
    return Hits(
        np.concatenate([head.numbers, hits.numbers[count:]]),
        np.concatenate([head.scores, hits.scores[count:]]),
    )


def best_first(numbers: Int64, scores: np.ndarray) -> Hits:
    """Hits in falling order of score, ties in rising order of number."""
    order = np.lexsort((numbers, -scores))
    return Hits(numbers[order].astype(np.int64), scores[order].astype(np.float32))
