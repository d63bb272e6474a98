"""Passage scores from retrieved tokens (XTR)."""

from __future__ import annotations

import numpy as np

from retrieval.top import best_hits
from retrieval.types import Float32, Hits, Int64

NOTHING = -1
"""The passage of an empty place."""

_CELLS = 1 << 22


def xtr_scores(similarities: Float32, passages: Int64, *, limit: int | None = None) -> Hits:
    """The `limit` best of all passages that any query token retrieved a token of; None is all of them.

    `similarities` and `passages` (q, k) are what each of q query tokens retrieved, in any order; NOTHING
    marks an empty place. A passage's score is the mean over query tokens of its best retrieved similarity
    or, where that query token retrieved none of its tokens, of the lowest similarity that it did retrieve,
    which no token left out can exceed (Lee et al. 2023, eqs. 3 and 5). A query token that retrieved nothing
    at all adds 0. With every token retrieved this is exact MaxSim. Time grows with q * k: nothing is sorted
    but the passages returned.

    >>> hits = xtr_scores(np.array([[0.9, 0.5], [0.7, 0.6]], "f4"), np.array([[3, 8], [8, 8]]))
    >>> hits.numbers.tolist(), hits.scores.round(2).astype(str).tolist()
    ([3, 8], ['0.75', '0.6'])
    """
    found = passages != NOTHING
    lowest = np.where(found, similarities, np.inf).min(axis=1, initial=np.inf).astype(np.float64)
    lowest[np.isinf(lowest)] = 0.0
    rows, places = np.nonzero(found)
    numbers, columns = number_columns(passages[rows, places])
    gains = similarities[rows, places] - lowest[rows]
    totals = np.full(len(numbers), lowest.sum())
    # One cell for each (query token, passage), a block of query tokens at a time to bound the memory.
    step = max(1, _CELLS // max(1, len(numbers)))
    for first in range(0, len(similarities), step):
        lo, hi = np.searchsorted(rows, [first, first + step])
        cells = np.zeros((min(step, len(similarities) - first), len(numbers)))
        np.maximum.at(cells.reshape(-1), (rows[lo:hi] - first) * len(numbers) + columns[lo:hi], gains[lo:hi])
        totals += cells.sum(axis=0)
    scores = totals / max(1, len(similarities))
    return best_hits(numbers, scores, len(numbers) if limit is None else limit)


def number_columns(values: Int64) -> tuple[Int64, Int64]:
    """The distinct values (m,) and each value's place among them (n,), without sorting.

    Values must be non-negative and not huge: a table as long as the largest is reserved, of which only
    the entries in use are ever touched.

    >>> distinct, places = number_columns(np.array([9, 4, 9]))
    >>> distinct.tolist(), places.tolist()
    ([4, 9], [1, 0, 1])
    """
    places = np.arange(len(values))
    # Of several writes to an entry one stays: that place stands for the value, whatever the memory held.
    table = np.empty(int(values.max(initial=-1)) + 1, np.int64)
    table[values] = places
    distinct = values[table[values] == places]
    table[distinct] = np.arange(len(distinct))
    return distinct, table[values]
