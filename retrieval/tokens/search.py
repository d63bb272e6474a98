"""Token retrieval over all segments of a snapshot: retrieve tokens, score passages, refine the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from retrieval.tokens.index import TokenIndex
from retrieval.tokens.scoring import NOTHING, rescore, xtr_scores
from retrieval.tokens.scoring import refine as refine_hits
from retrieval.types import Bits, Float32, Hits, Int64

EXACT_UNDER = 0.01
"""Share of passages a filter leaves under which every one of them is scored exactly."""


def search_tokens(
    indexes: Sequence[TokenIndex],
    bases: Sequence[int],
    query: Float32,
    *,
    limit: int,
    k_tokens: int,
    refine: int,
    allowed: Sequence[Bits | None],
) -> Hits:
    """The best `limit` passages for a query's token vectors (q, d), by XTR.

    Each query token retrieves its `k_tokens` nearest tokens of all segments together, so the similarity that
    is imputed is common to all. The first `refine` passages are then scored by exact MaxSim. Where `allowed`
    leaves under EXACT_UNDER of the passages, each of them is scored exactly instead. Segment i's passages
    are numbered from `bases[i]`.
    """
    if not len(query):
        return Hits(np.zeros(0, np.int64), np.zeros(0, np.float32))
    vectors = _lookup(indexes, bases)
    passing = _passing(indexes, bases, allowed)
    if passing is not None:
        hits = rescore(query, passing, vectors)
    else:
        hits = xtr_scores(*_retrieve(indexes, bases, query, k_tokens, allowed))
        if refine:
            hits = refine_hits(query, hits, refine, vectors)
    return Hits(hits.numbers[:limit], hits.scores[:limit])


def _retrieve(
    indexes: Sequence[TokenIndex],
    bases: Sequence[int],
    query: Float32,
    k_tokens: int,
    allowed: Sequence[Bits | None],
) -> tuple[Float32, Int64]:
    """The `k_tokens` best of all segments for each query token."""
    similarities, passages = [], []
    for index, base, bits in zip(indexes, bases, allowed, strict=True):
        found, local = index.search(query, k_tokens, bits)
        similarities.append(found)
        passages.append(np.where(local == NOTHING, NOTHING, local + base))
    if not similarities:
        return np.zeros((len(query), 0), np.float32), np.zeros((len(query), 0), np.int64)
    sims, numbers = np.concatenate(similarities, axis=1), np.concatenate(passages, axis=1)
    if len(indexes) > 1 and sims.shape[1] > k_tokens:
        ranked = np.where(numbers == NOTHING, -np.inf, sims)
        best = np.argpartition(-ranked, k_tokens - 1, axis=1)[:, :k_tokens]
        sims, numbers = np.take_along_axis(sims, best, 1), np.take_along_axis(numbers, best, 1)
    return sims, numbers


def _passing(
    indexes: Sequence[TokenIndex], bases: Sequence[int], allowed: Sequence[Bits | None]
) -> Int64 | None:
    """The numbers of the passages a filter leaves, where they are few; else None."""
    filters = [bits for bits in allowed if bits is not None]
    if len(filters) < len(allowed):
        return None
    total = sum(index.passages for index in indexes)
    kept = [np.nonzero(bits)[0] + base for base, bits in zip(bases, filters, strict=True)]
    count = sum(map(len, kept))
    return np.concatenate(kept).astype(np.int64) if 0 < count < EXACT_UNDER * total else None


def _lookup(indexes: Sequence[TokenIndex], bases: Sequence[int]) -> Callable[[int], Float32]:
    starts = np.asarray(bases, np.int64)

    def vectors(number: int) -> Float32:
        segment = int(np.searchsorted(starts, number, side="right")) - 1
        return indexes[segment].vectors(number - int(starts[segment]))

    return vectors


def match_tokens(query: Float32, vectors: Float32) -> list[tuple[int, int, float]]:
    """Each query token's best passage token: (query token, passage token, similarity), in query order."""
    if not len(query) or not len(vectors):
        return []
    similarities = query @ vectors.T
    best = similarities.argmax(axis=1)
    return [(token, int(at), float(similarities[token, at])) for token, at in enumerate(best)]
