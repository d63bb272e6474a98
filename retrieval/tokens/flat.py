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
    found = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    barred = None if allowed is None else ~allowed[owners]
    step = max(1, _CELLS // max(1, len(owners)))
    for first in range(0, len(queries), step):
        part = slice(first, first + step)
        similarities = _similarities(stored, queries[part])
        if barred is not None:
            similarities[:, barred] = -np.inf
        places = np.sort(np.argpartition(similarities, -k, axis=1)[:, -k:], axis=1)
        values = np.take_along_axis(similarities, places, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        found[0][part] = np.take_along_axis(values, order, axis=1)
        found[1][part] = owners[np.take_along_axis(places, order, axis=1)]
    found[1][np.isneginf(found[0])] = NOTHING
    return found


def _similarities(stored: StoredVectors, queries: Float32) -> Float32:
    """Inner products (q, tokens)."""
    tokens = len(stored.codes)
    similarities = np.empty((len(queries), tokens), np.float32)
    buffer = np.empty((min(BLOCK_ROWS, tokens), queries.shape[1]), np.float32)
    for lo in range(0, tokens, BLOCK_ROWS):
        hi = min(lo + BLOCK_ROWS, tokens)
        rows = buffer[: hi - lo]
        rows[:] = stored.codes[lo:hi]
        similarities[:, lo:hi] = queries @ rows.T
    similarities *= stored.scales
    return similarities
