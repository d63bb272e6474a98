"""Exact search: every stored token is compared, block by block."""

from __future__ import annotations

import numpy as np

from retrieval.tokens.kernels import above_floor, gather_rows
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.storage.stored import BLOCK_ROWS, StoredVectors, blocks
from retrieval.types import Bits, Float32, Int64

_CELLS = 1 << 23


def search_flat(
    stored: StoredVectors, queries: Float32, k: int, allowed: Bits | None, floor: Float32 | None = None
) -> tuple[Float32, Int64]:
    """The `k` most similar tokens of each query vector: similarities and passages (q, k), in any order.

    `allowed` (passages,) says which may be found; `floor` (q,) leaves out what is less similar. Of tokens
    equal to the last any may be the ones left out. Places that nothing could fill have -inf and NOTHING.
    """
    members = np.flatnonzero(stored.lengths > 0 if allowed is None else allowed & (stored.lengths > 0))
    owners = np.repeat(members, stored.lengths[members])
    best = np.full((len(queries), k), -np.inf, np.float32)
    found = np.full((len(queries), k), NOTHING, np.int64)
    reach = min(k, len(owners))
    step = max(1, _CELLS // max(1, len(owners)))
    for first in range(0, len(queries) if reach else 0, step):
        part = slice(first, first + step)
        similarities = _similarities(stored, members, queries[part])
        if floor is not None:
            kept = above_floor(similarities, floor[part], k)
            if kept.shape[1] <= k:
                _place(best[part], found[part], similarities, owners, kept)
                continue
        nearest = np.argpartition(similarities, -reach, axis=1)[:, -reach:]
        _place(best[part], found[part], similarities, owners, nearest)
    return best, found


def _place(best: Float32, found: Int64, similarities: Float32, owners: Int64, tokens: Int64) -> None:
    """Writes the tokens (q, n), -1 for none, into the first n places of each row."""
    width = tokens.shape[1]
    there = tokens >= 0
    values = np.take_along_axis(similarities, np.maximum(tokens, 0), axis=1)
    best[:, :width] = np.where(there, values, -np.inf)
    found[:, :width] = np.where(there, owners[tokens], NOTHING)


def _similarities(stored: StoredVectors, members: Int64, queries: Float32) -> Float32:
    """Inner products (q, n) with all tokens of the passages."""
    ends = np.cumsum(stored.lengths[members])
    similarities = np.empty((len(queries), int(ends[-1])), np.float32)
    longest = int(stored.lengths[members].max())
    rows = np.empty((max(BLOCK_ROWS, longest), queries.shape[1]), np.float32)
    for block in blocks(ends):
        lo, hi = int(ends[block.start - 1]) if block.start else 0, int(ends[block.stop - 1])
        gather_rows(stored.codes, stored.starts, members[block], rows)
        similarities[:, lo:hi] = queries @ rows[: hi - lo].T
    if len(members) == len(stored.lengths):
        similarities *= stored.scales
    else:
        similarities *= np.concatenate(
            [stored.scales[stored.starts[one] : stored.starts[one + 1]] for one in members]
        )
    return similarities
