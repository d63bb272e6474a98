"""Token retrieval over the segments of a collection: gather, score by XTR, refine by exact MaxSim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np

from retrieval.tokens.errors import InvalidTokenOption
from retrieval.tokens.index import EXACT_UP_TO, TokenIndex
from retrieval.tokens.pruning import NEAR, merge_near
from retrieval.tokens.scoring import NOTHING, xtr_scores
from retrieval.tokens.storage.flat import Nearest
from retrieval.tokens.storage.ivf import Trainer
from retrieval.tokens.vectors import check_vectors
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64

Imputation: TypeAlias = Literal["lowest", "clusters"]

# When a filter leaves less than this share of the tokens, comparing all of them is cheaper than a search.
_EXACT_SHARE = 0.01
RETRIEVED = 1 << 19  # tokens that all queries of one call retrieve together
_USUAL_PASSAGES = 5_000  # up to so many passages the smallest numbers below find what there is to find
_FEWEST_TOKENS, _MOST_TOKENS = 1_000, 8_000
_FEWEST_REFINED, _MOST_REFINED = 100, 1_000


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """How a query is searched.

    Each query token retrieves its `k_tokens` nearest tokens; the best `refine` passages are scored again by
    exact MaxSim (0: none); `limit` are returned. None lets the size of the collection decide, so that as
    much is found in a large one (`for_passages`). Query tokens as similar as `near` are searched once
    (above 1: none are). Where no more than `exact_up_to` tokens are there or pass the filter, all are scored
    exactly at once, which is then as cheap. `imputation` says what a similarity that was not retrieved is
    taken for: the lowest that was, or a guess from the sizes of clusters.
    """

    limit: int
    k_tokens: int | None = None
    refine: int | None = None
    near: float = NEAR
    exact_up_to: int = EXACT_UP_TO
    imputation: Imputation = "lowest"

    def __post_init__(self) -> None:
        for name, fewest in (("limit", 1), ("k_tokens", 1), ("refine", 0), ("exact_up_to", 0)):
            value = getattr(self, name)
            if value is not None and value < fewest:
                raise InvalidTokenOption(name, value, f"at least {fewest}")
        if not self.near > 0:
            raise InvalidTokenOption("near", self.near, "above 0")
        if self.imputation not in get_args(Imputation):
            raise InvalidTokenOption("imputation", self.imputation, " or ".join(get_args(Imputation)))

    def for_passages(self, passages: int) -> Depths:
        """How many tokens and passages are looked at in a collection of so many passages.

        Where nothing was asked for, the tokens grow with its fourth root and the refined with its square
        root, from 1,000 and 100 at 5,000 passages: at that rate recall stays and the cost of a query
        grows more slowly than the square root (docs/figures.md). Without refining twice the tokens are
        retrieved, since they alone rank.

        >>> TokenOptions(limit=10).for_passages(80_000)
        Depths(k_tokens=2000, refine=400)
        """
        growth = max(1.0, passages / _USUAL_PASSAGES)
        refine, k_tokens = self.refine, self.k_tokens
        if refine is None:
            refine = min(_MOST_REFINED, round(_FEWEST_REFINED * growth**0.5))
        if k_tokens is None:
            k_tokens = min(_MOST_TOKENS, round(_FEWEST_TOKENS * growth**0.25)) * (1 if refine else 2)
        return Depths(k_tokens, refine)


@dataclass(frozen=True, slots=True)
class Depths:
    """Tokens retrieved for each query token, and passages scored again by exact MaxSim."""

    k_tokens: int
    refine: int


class DeviceSearch(Protocol):
    """Searches whole segments in separate memory, such as a GPU's."""

    @property
    def trainer(self) -> Trainer:
        """Trains the lists of new segments there."""

    def holds(self, indexes: Sequence[TokenIndex]) -> bool:
        """Whether it can search all of these."""

    def search(
        self,
        indexes: Sequence[TokenIndex],
        bases: Sequence[int],
        queries: Sequence[Float32],
        options: TokenOptions,
        *,
        allowed: Sequence[Bits | None],
    ) -> list[Hits]:
        """The best passages of each query, as `search_tokens_batch` finds them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One segment that can hold hits: its passages count from `base`."""

    index: TokenIndex
    base: int
    allowed: Bits | None
    passing: int

    @property
    def members(self) -> Int64:
        """Its passages that have tokens and are allowed, ascending."""
        filled = self.index.lengths > 0
        return np.flatnonzero(filled if self.allowed is None else filled & self.allowed)


def passing_parts(
    indexes: Sequence[TokenIndex], bases: Sequence[int], allowed: Sequence[Bits | None]
) -> list[Part]:
    """The segments of which something passes."""
    return [
        Part(index, base, bits, passing)
        for index, base, bits in zip(indexes, bases, allowed, strict=True)
        if (passing := index.passing(bits))
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """What each query token retrieved from all segments (q, n), and what else it can have missed (q,)."""

    similarities: Float32
    passages: Int64
    bound: Float32 | None


def search_tokens(
    indexes: Sequence[TokenIndex],
    bases: Sequence[int],
    query: Float32,
    options: TokenOptions,
    *,
    allowed: Sequence[Bits | None],
    accelerator: DeviceSearch | None = None,
) -> Hits:
    """The best passages for query vectors (q, d); scores are mean similarities per query token.

    Each query token retrieves the most similar tokens of all segments together, and passages are scored
    from those (XTR). The best are then scored by exact MaxSim and stand first, in that order; the others
    follow in XTR's order. XTR guesses high, so their scores are lowered, all by the same amount, to stay
    under those of the refined. Where few tokens are there or pass the filter, all are scored exactly at once.

    `bases[i]` is the number of the first passage of `indexes[i]`, ascending; `allowed[i]` bars all other
    passages of it. An `accelerator` that holds all segments searches them in place of the CPU.
    Raises InvalidVectors.
    """
    return search_tokens_batch(indexes, bases, [query], options, allowed=allowed, accelerator=accelerator)[0]


def search_tokens_batch(
    indexes: Sequence[TokenIndex],
    bases: Sequence[int],
    queries: Sequence[Float32],
    options: TokenOptions,
    *,
    allowed: Sequence[Bits | None],
    accelerator: DeviceSearch | None = None,
) -> list[Hits]:
    """The same for several queries (q_i, d), whose tokens are looked up in one call a segment."""
    parts = passing_parts(indexes, bases, allowed)
    for query in queries:
        for part in parts:
            check_vectors(query, part.index.dim, "the query")
    if not parts:
        return [NO_HITS] * len(queries)
    if accelerator is not None and accelerator.holds(indexes):
        return accelerator.search(indexes, bases, queries, options, allowed=allowed)
    depths = options.for_passages(sum(part.index.passages for part in parts))
    passing = sum(part.passing for part in parts)
    if exact_is_cheaper(parts, passing, sum(index.tokens for index in indexes), options.exact_up_to, depths):
        numbers = passing_passages(parts)
        return [
            _exact(best_hits(numbers, _maxsim(parts, query, numbers), options.limit))
            if len(query)
            else NO_HITS
            for query in queries
        ]
    hits: list[Hits] = []
    for group in groups(queries, max(1, RETRIEVED // depths.k_tokens)):
        merged = [merge_near(query, options.near) for query in group]
        ends = np.cumsum([0, *(len(vectors) for vectors, _ in merged)])
        found = _retrieve(
            parts, np.concatenate([vectors for vectors, _ in merged]), depths, options.imputation
        )
        hits += [
            _hits(parts, query, weights, found, slice(lo, hi), depths, options.limit)
            if len(query)
            else NO_HITS
            for query, (_, weights), lo, hi in zip(group, merged, ends[:-1], ends[1:], strict=True)
        ]
    return hits


def exact_scores(
    indexes: Sequence[TokenIndex], bases: Sequence[int], query: Float32, numbers: Int64
) -> Float32:
    """Exact mean MaxSim of query vectors (q, d) with passages by number (n,); 0 where one has no tokens."""
    scores = np.zeros(len(numbers), np.float32)
    if not len(query):
        return scores
    for index, base in zip(indexes, bases, strict=True):
        own = np.flatnonzero((numbers >= base) & (numbers < base + index.passages))
        own = own[index.lengths[numbers[own] - base] > 0]
        if len(own):
            scores[own] = index.maxsim(query, numbers[own] - base)
    return scores


def groups(queries: Sequence[Float32], tokens: int) -> Iterator[Sequence[Float32]]:
    """Runs of queries with about so many tokens, to bound the memory for what they retrieve."""
    first = held = 0
    for last, query in enumerate(queries, start=1):
        held += len(query)
        if held >= tokens or last == len(queries):
            yield queries[first:last]
            first, held = last, 0


def exact_is_cheaper(
    parts: Sequence[Part], passing: int, tokens: int, exact_up_to: int, depths: Depths
) -> bool:
    """Whether all that passes is scored at once, because little is there or a filter leaves little."""
    if passing <= depths.k_tokens:  # all would be retrieved
        return True
    filtered = any(part.allowed is not None for part in parts)
    return passing <= max(exact_up_to, _EXACT_SHARE * tokens if filtered else 0)


def _retrieve(parts: Sequence[Part], query: Float32, depths: Depths, imputation: Imputation) -> _Found:
    """The `k_tokens` nearest tokens of all segments for each query token, in any order.

    Segments with lists are searched on their own, all others in one go. What lies under the k-th best of
    all is dropped again, so that the similarity imputed by XTR is the same however passages are spread over
    segments. Of equals at the k-th place all stay: their similarity is the imputed one, so scores do not
    depend on it.
    """
    k = depths.k_tokens
    listed = [part for part in parts if part.index.lists is not None]
    flat = [part for part in parts if part.index.lists is None]
    found = [_in_lists(part, query, k, refined=depths.refine > 0) for part in listed]
    if flat:
        nearest = Nearest(query, k, _kth_best(found, k))
        for part in flat:
            nearest.add(part.index.stored, part.base, part.allowed)
        found.append(nearest.found())
    similarities = np.concatenate([values for values, _ in found], axis=1)
    numbers = np.concatenate([passages for _, passages in found], axis=1)
    if similarities.shape[1] > k:
        kth = np.partition(similarities, -k, axis=1)[:, -k, None]
        numbers[similarities < kth] = NOTHING
    bound = None
    if imputation == "clusters":
        guesses = [part.index.bounds(query, k) for part in parts]
        known = [guess for guess in guesses if guess is not None]
        bound = np.max(known, axis=0) if known else None
    return _Found(similarities, numbers, bound)


def _in_lists(part: Part, query: Float32, k: int, *, refined: bool) -> tuple[Float32, Int64]:
    """The nearest tokens of a segment with lists: similarities and passage numbers."""
    similarities, passages = part.index.search(query, min(k, part.passing), part.allowed, refined=refined)
    return similarities, np.where(passages == NOTHING, NOTHING, passages + part.base)


def _kth_best(found: Sequence[tuple[Float32, Int64]], k: int) -> Float32 | None:
    """The `k`-th best similarity (q,) of what was found; None where that is less than so many."""
    if sum(values.shape[1] for values, _ in found) < k:
        return None
    similarities = np.concatenate([values for values, _ in found], axis=1)
    floors: Float32 = np.partition(similarities, -k, axis=1)[:, -k]
    return floors


def _hits(
    parts: Sequence[Part],
    query: Float32,
    weights: Float32,
    found: _Found,
    rows: slice,
    depths: Depths,
    limit: int,
) -> Hits:
    """One query's hits from its rows of what all queries retrieved."""
    hits = xtr_scores(
        found.similarities[rows],
        found.passages[rows],
        limit=max(limit, depths.refine),
        weights=weights,
        bound=None if found.bound is None else found.bound[rows],
    )
    exact = _maxsim(parts, query, hits.numbers[: depths.refine])
    return _exact(refined_first(hits, exact, limit), len(exact))


def _exact(hits: Hits, first: int | None = None) -> Hits:
    """Hits of which the first ones, or all, have exact scores."""
    return replace(hits, exact=len(hits) if first is None else min(first, len(hits)))


def refined_first(hits: Hits, exact: Float32, limit: int) -> Hits:
    """Hits whose first ones (m,) have these exact scores: they by those, then the others below them."""
    refine = len(exact)
    if not refine:
        return hits
    refined = best_hits(hits.numbers[:refine], exact, limit)
    rest, scores = hits.numbers[refine:limit], hits.scores[refine:limit]
    if len(rest):
        ceiling = np.nextafter(refined.scores[-1], np.float32(-np.inf))
        lowered = np.minimum(scores - max(np.float32(0), scores[0] - ceiling), ceiling)
        others = best_hits(rest, lowered, len(rest))
        return Hits(
            np.concatenate([refined.numbers, others.numbers]), np.concatenate([refined.scores, others.scores])
        )
    return refined


def passing_passages(parts: Sequence[Part]) -> Int64:
    """Numbers of all passages that have tokens and are allowed, ascending."""
    return np.concatenate([part.base + part.members for part in parts])


def _maxsim(parts: Sequence[Part], query: Float32, numbers: Int64) -> Float32:
    """Exact scores of passages by number, each from its own segment."""
    scores = np.zeros(len(numbers), np.float32)
    for part in parts:
        own = (numbers >= part.base) & (numbers < part.base + part.index.passages)
        if own.any():
            scores[own] = part.index.maxsim(query, numbers[own] - part.base)
    return scores
