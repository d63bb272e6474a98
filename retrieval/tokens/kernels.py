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
    made: Function = numba.njit(
        cache=True, nogil=True, fastmath={"contract", "nsz", "nnan", "arcp", "reassoc"}
    )(function)
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
def _compare(
    codes: NDArray[np.int8], scales: Float32, start: int, end: int, queries: Float32, similarities: Float32
) -> None:
    """Writes the products of the tokens from `start` to `end` with each row of `queries` (q, d).

    Two tokens and four rows at a time: each vector that is loaded serves several sums, and codes become
    floats in registers, never in memory. At the edges the last token or row is taken again.
    """
    last, count = end - 1, len(queries)
    for token in range(start, end, 2):
        beside = min(token + 1, last)
        first, second = codes[token], codes[beside]
        for row in range(0, count, 4):
            two, three, four = min(row + 1, count - 1), min(row + 2, count - 1), min(row + 3, count - 1)
            query_1, query_2, query_3, query_4 = queries[row], queries[two], queries[three], queries[four]
            a = b = c = d = e = f = g = h = np.float32(0)
            for place in range(codes.shape[1]):
                x, y = np.float32(first[place]), np.float32(second[place])
                a += x * query_1[place]
                b += x * query_2[place]
                c += x * query_3[place]
                d += x * query_4[place]
                e += y * query_1[place]
                f += y * query_2[place]
                g += y * query_3[place]
                h += y * query_4[place]
            left, right = token - start, beside - start
            similarities[row, left], similarities[row, right] = a * scales[token], e * scales[beside]
            similarities[two, left], similarities[two, right] = b * scales[token], f * scales[beside]
            similarities[three, left], similarities[three, right] = c * scales[token], g * scales[beside]
            similarities[four, left], similarities[four, right] = d * scales[token], h * scales[beside]


@_compiled
def maxsim_scores(
    codes: NDArray[np.int8], scales: Float32, starts: Int64, passages: Int64, queries: Float32
) -> Float32:
    """Mean over query tokens (q, d) of each passage's best similarity (m,), 0 for a passage without tokens.

    The codes are read where they lie. A score does not depend on which other passages are scored with it.
    """
    scores = np.zeros(len(passages), np.float32)
    longest = 0
    for passage in passages:
        longest = max(longest, starts[passage + 1] - starts[passage])
    similarities = np.empty((len(queries), longest), np.float32)
    for member in range(len(passages)):
        start, end = starts[passages[member]], starts[passages[member] + 1]
        if start == end:
            continue
        _compare(codes, scales, start, end, queries, similarities)
        total = np.float64(0)
        for query in range(len(queries)):
            best = np.float32(-np.inf)
            for token in range(end - start):
                best = max(best, similarities[query, token])
            total += best
        scores[member] = total / len(queries)
    return scores


@_compiled
def keep_nearest(
    codes: NDArray[np.int8],
    scales: Float32,
    starts: Int64,
    passages: Int64,
    base: int,
    first: int,
    queries: Float32,
    floors: Float32,
    counts: Int64,
    similarities: Float32,
    owners: Int64,
) -> int:
    """Adds tokens of these passages, from the `first` on, to those kept for each query token (q, d) so far.

    The first `counts` (q,) places of `similarities` and `owners` (q, room) hold them; an owner is `base` and
    the passage. What is below the
    floors (q,) is passed over. Returns the place of the passage that there might be no room for; there must
    be room for one at the start.
    """
    longest, room = 0, similarities.shape[1]
    for passage in passages:
        longest = max(longest, starts[passage + 1] - starts[passage])
    found = np.empty((len(queries), longest), np.float32)
    for member in range(first, len(passages)):
        start, end = starts[passages[member]], starts[passages[member] + 1]
        for row in range(len(queries)):
            if counts[row] + end - start > room:
                return member
        _compare(codes, scales, start, end, queries, found)
        for row in range(len(queries)):
            at = counts[row]
            for token in range(end - start):
                if found[row, token] >= floors[row]:
                    similarities[row, at], owners[row, at] = found[row, token], base + passages[member]
                    at += 1
            counts[row] = at
    return len(passages)
