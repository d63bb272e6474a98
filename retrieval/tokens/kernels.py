"""The inner loops, compiled: retrieved tokens to passage scores, and stored tokens to MaxSim.

Each has a twin in `reference.py` that says the same in a few lines of NumPy.
"""

from __future__ import annotations

from typing import TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from retrieval.types import Float32, Int64

Function = TypeVar("Function")


def _compiled(function: Function) -> Function:
    made: Function = numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "nnan", "arcp"})(
        function
    )
    return made


@_compiled
def passage_totals(
    similarities: Float32,
    passages: Int64,
    lowest: NDArray[np.float64],
    weights: NDArray[np.float64],
    largest: int,
) -> tuple[Int64, NDArray[np.float64]]:
    """The distinct passages (m,) of hits (q, k), and how far each exceeds what it would get unretrieved.

    That is the weighted sum over query tokens of its best similarity less `lowest` (q,); a negative
    passage is an empty place, `largest` the largest there is. Time grows with q * k alone: nothing is
    sorted, and of the table of passages only the entries in use are touched.
    """
    queries, k = similarities.shape
    columns = np.empty(largest + 1, np.int32)  # not filled: an entry counts if `distinct` agrees with it
    distinct = np.empty(min(queries * k, largest + 1), np.int64)
    totals = np.zeros(len(distinct), np.float64)
    gains = np.zeros(len(distinct), np.float64)
    touched = np.empty(k, np.int32)
    count = 0
    for query in range(queries):
        new = 0
        for place in range(k):
            passage = passages[query, place]
            if passage < 0:
                continue
            column = columns[passage]
            if column < 0 or column >= count or distinct[column] != passage:
                column = count
                columns[passage] = column
                distinct[column] = passage
                count += 1
            gain = np.float64(similarities[query, place]) - lowest[query]
            if gain > 0:
                if gains[column] == 0:
                    touched[new] = column
                    new += 1
                gains[column] = max(gains[column], gain)
        for place in range(new):
            column = touched[place]
            totals[column] += weights[query] * gains[column]
            gains[column] = 0
    return distinct[:count].copy(), totals[:count].copy()


@_compiled
def gather_rows(codes: NDArray[np.int8], starts: Int64, passages: Int64, rows: Float32) -> None:
    """Copies the codes of the passages' tokens, one after the other, into `rows` (n, d) as float32."""
    at = 0
    for passage in passages:
        for token in range(starts[passage], starts[passage + 1]):
            for place in range(codes.shape[1]):
                rows[at, place] = codes[token, place]
            at += 1


@_compiled
def reduce_rows(
    similarities: Float32, scales: Float32, starts: Int64, passages: Int64, scores: Float32
) -> None:
    """Mean over query tokens of each passage's best similarity, from products (n, q) of unscaled codes."""
    queries = similarities.shape[1]
    best = np.empty(queries, np.float32)
    at = 0
    for member in range(len(passages)):
        best[:] = -np.inf
        for token in range(starts[passages[member]], starts[passages[member] + 1]):
            scale = scales[token]
            for query in range(queries):
                best[query] = max(best[query], similarities[at, query] * scale)
            at += 1
        total = np.float64(0)
        for query in range(queries):
            total += best[query]
        scores[member] = total / queries


@_compiled
def above_floor(similarities: Float32, floor: Float32, most: int) -> Int64:
    """The places (q, n) of each row's values that are at least its floor, -1 after the last.

    A row with more than `most` ends the search: the answer is then wider than that, and not complete.
    """
    queries, count = similarities.shape
    counts = np.zeros(queries, np.int64)
    for query in range(queries):
        for place in range(count):
            counts[query] += similarities[query, place] >= floor[query]
        if counts[query] > most:
            return np.empty((queries, most + 1), np.int64)
    places = np.full((queries, counts.max()), -1, np.int64)
    for query in range(queries):
        at = 0
        for place in range(count):
            if similarities[query, place] >= floor[query]:
                places[query, at] = place
                at += 1
    return places
