"""Exact search: every stored token is compared, block by block."""

from __future__ import annotations

import numpy as np

from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.stored import BLOCK_ROWS, StoredVectors
from retrieval.types import Bits, Float32, Int64

_CELLS = 1 << 23


def search_flat(
    stored: StoredVectors, queries: Float32, k: int, allowed: Bits | None
) -> tuple[Float32, Int64]:
    """The `k` most similar tokens of each query vector: similarities and passages (q, k), best first.

    `allowed` (passages,) says which may be found; `k` is at most the number of tokens. Equal similarities
    come in the order of the tokens, but any of those equal to the last may be the ones left out. Places
    that nothing allowed could fill have -inf and NOTHING.
    """
    owners = stored.owners
    rows = np.arange(len(owners)) if allowed is None else np.flatnonzero(allowed[owners])
    best = np.full((len(queries), k), -np.inf, np.float32)
    found = np.full((len(queries), k), NOTHING, np.int64)
    reach = min(k, len(rows))
    step = max(1, _CELLS // max(1, len(rows)))
    for first in range(0, len(queries) if reach else 0, step):
        part = slice(first, first + step)
        similarities = _similarities(stored, None if allowed is None else rows, queries[part])
        places = np.sort(np.argpartition(similarities, -reach, axis=1)[:, -reach:], axis=1)
        values = np.take_along_axis(similarities, places, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        best[part, :reach] = np.take_along_axis(values, order, axis=1)
        found[part, :reach] = owners[rows[np.take_along_axis(places, order, axis=1)]]
    return best, found


def _similarities(stored: StoredVectors, rows: Int64 | None, queries: Float32) -> Float32:
    """Inner products (q, rows) with the given tokens, None being all."""
    count = len(stored.codes) if rows is None else len(rows)
    similarities = np.empty((len(queries), count), np.float32)
    buffer = np.empty((min(BLOCK_ROWS, count), queries.shape[1]), np.float32)
    for lo in range(0, count, BLOCK_ROWS):
        hi = min(lo + BLOCK_ROWS, count)
        block = buffer[: hi - lo]
        block[:] = stored.codes[lo:hi] if rows is None else stored.codes[rows[lo:hi]]
        similarities[:, lo:hi] = queries @ block.T
    similarities *= stored.scales if rows is None else stored.scales[rows]
    return similarities
