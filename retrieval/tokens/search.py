"""Token retrieval over the segments of a collection: gather, score by XTR, refine by exact MaxSim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.tokens.errors import InvalidTokenOption
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.scoring import NOTHING, xtr_scores
from retrieval.tokens.vectors import check_vectors
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64

# When a filter leaves less than this share of the tokens, comparing all of them is cheaper than a search.
_EXACT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class _Part:
    """One segment that can hold hits: its passages count from `base`."""

    index: TokenIndex
    base: int
    allowed: Bits | None
    passing: int


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
    """The `limit` best passages for query vectors (q, d); scores are mean similarities per query token.

    Each query token retrieves the `k_tokens` most similar tokens of all segments together, and passages
    are scored from those (XTR). The best `refine` are then scored by exact MaxSim and stand first, in
    that order; the others follow in XTR's order. XTR guesses high, so their scores are lowered, all by the
    same amount, to stay under those of the refined. When `k_tokens` covers every token that
    the filter lets through, or the filter leaves under 1 % of them, all are scored exactly at once.

    `bases[i]` is the number of the first passage of `indexes[i]`, ascending; `allowed[i]` bars all other
    passages of it. Raises InvalidVectors, InvalidTokenOption.
    """
    _check_options(limit=limit, k_tokens=k_tokens, refine=refine)
    parts = [
        _Part(index, base, bits, passing)
        for index, base, bits in zip(indexes, bases, allowed, strict=True)
        if (passing := index.passing(bits))
    ]
    for part in parts:
        check_vectors(query, part.index.dim, "the query")
    if not parts or not len(query):
        return NO_HITS
    passing = sum(part.passing for part in parts)
    if passing <= max(k_tokens, _EXACT_SHARE * sum(index.tokens for index in indexes)):
        numbers = _passing_passages(parts)
        return best_hits(numbers, _maxsim(parts, query, numbers), limit)
    hits = xtr_scores(*_retrieve(parts, query, k_tokens), limit=max(limit, refine))
    return _refine(parts, query, hits, refine, limit)


def _check_options(**options: int) -> None:
    for name, value in options.items():
        fewest = 0 if name == "refine" else 1
        if value < fewest:
            raise InvalidTokenOption(name, value, f"at least {fewest}")


def _retrieve(parts: Sequence[_Part], query: Float32, k: int) -> tuple[Float32, Int64]:
    """The `k` nearest tokens of all segments for each query token, in any order.

    Every segment is searched on its own; what lies under the k-th best of all is dropped again, so that
    the similarity imputed by XTR is the same however passages are spread over segments. Of equals at the
    k-th place all stay: their similarity is the imputed one, so scores do not depend on it.
    """
    found = [part.index.search(query, min(k, part.passing), part.allowed) for part in parts]
    similarities = np.concatenate([values for values, _ in found], axis=1)
    numbers = np.concatenate(
        [
            np.where(passages == NOTHING, NOTHING, passages + part.base)
            for part, (_, passages) in zip(parts, found, strict=True)
        ],
        axis=1,
    )
    if similarities.shape[1] > k:
        kth = np.partition(similarities, -k, axis=1)[:, -k, None]
        numbers[similarities < kth] = NOTHING
    return similarities, numbers


def _refine(parts: Sequence[_Part], query: Float32, hits: Hits, refine: int, limit: int) -> Hits:
    """The first `refine` hits by exact MaxSim, then the others below them."""
    if not refine:
        return hits
    head = hits.numbers[:refine]
    refined = best_hits(head, _maxsim(parts, query, head), limit)
    rest, scores = hits.numbers[refine:limit], hits.scores[refine:limit]
    if len(rest):
        ceiling = np.nextafter(refined.scores[-1], np.float32(-np.inf))
        lowered = np.minimum(scores - max(np.float32(0), scores[0] - ceiling), ceiling)
        others = best_hits(rest, lowered, len(rest))
        return Hits(
            np.concatenate([refined.numbers, others.numbers]), np.concatenate([refined.scores, others.scores])
        )
    return refined


def _passing_passages(parts: Sequence[_Part]) -> Int64:
    """Numbers of all passages that have tokens and are allowed, ascending."""
    members = []
    for part in parts:
        filled = part.index.lengths > 0
        members.append(part.base + np.flatnonzero(filled if part.allowed is None else filled & part.allowed))
    return np.concatenate(members)


def _maxsim(parts: Sequence[_Part], query: Float32, numbers: Int64) -> Float32:
    """Exact scores of passages by number, each from its own segment."""
    scores = np.zeros(len(numbers), np.float32)
    for part in parts:
        own = (numbers >= part.base) & (numbers < part.base + part.index.passages)
        if own.any():
            scores[own] = part.index.maxsim(query, numbers[own] - part.base)
    return scores
