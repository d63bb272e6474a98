"""A query over segments in device memory: tokens are gathered, scored by XTR and refined there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from retrieval.tokens.devices.ragged import best_of_grid
from retrieval.tokens.index import REFINED_PROBES
from retrieval.tokens.pruning import merge_near
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.search import (
    RETRIEVED,
    Depths,
    Imputation,
    Part,
    TokenOptions,
    exact_is_cheaper,
    groups,
    refined_first,
)
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64

Each = Callable[[Callable[["Held"], Any], Sequence["Held"]], Any]
"""`map`, or one that asks several devices at a time."""


class Resident(Protocol):
    """One segment's tokens on a device."""

    device: torch.device
    bytes: int

    def nearest(
        self, queries: Float32, k: int, allowed: Bits | None, *, passing: int, most_probes: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Similarities and passages (q, k) of the `k` nearest tokens of each query vector, best first."""

    def bounds(self, queries: Float32, tokens: int) -> torch.Tensor | None:
        """A guess (q,) of the best similarity beyond the `tokens` nearest, by cluster sizes."""

    def maxsim(self, query: Float32, passages: Int64) -> torch.Tensor:
        """Exact mean MaxSim (m,) of passages that have tokens, by number, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A segment that can hold hits, and where its tokens are."""

    part: Part
    resident: Resident


@dataclass(frozen=True, slots=True)
class _Found:
    """What each query token retrieved from all segments (q, n), and what stands for the rest (q,)."""

    similarities: torch.Tensor
    passages: torch.Tensor
    bound: torch.Tensor | None


def search_held(
    held: Sequence[Held],
    queries: Sequence[Float32],
    options: TokenOptions,
    *,
    tokens: int,
    exactly: bool,
    each: Each = map,
) -> list[Hits]:
    """The best passages of each query (q_i, d), by the rules of `search_tokens_batch`.

    `exactly` compares everything that passes; otherwise that is done where it is cheaper than a search
    among the collection's `tokens`.
    """
    parts = [one.part for one in held]
    depths = options.for_passages(sum(part.index.passages for part in parts))
    passing = sum(part.passing for part in parts)
    if exactly or exact_is_cheaper(parts, passing, tokens, options.exact_up_to, depths):
        members = {one: one.part.members for one in held}
        return [
            _everything(members, query, options.limit, each) if len(query) else NO_HITS for query in queries
        ]
    hits: list[Hits] = []
    for group in groups(queries, max(1, RETRIEVED // depths.k_tokens)):
        merged = [merge_near(query, options.near) for query in group]
        vectors = np.concatenate([one for one, _ in merged])
        found = _retrieve(held, vectors, depths, options.imputation, each) if len(vectors) else None
        first = 0
        for query, (own, weights) in zip(group, merged, strict=True):
            rows = slice(first, first + len(own))
            first = rows.stop
            if found is None or not len(query):
                hits.append(NO_HITS)
                continue
            ranked = _xtr(found, rows, weights, max(options.limit, depths.refine))
            exact = _maxsim(held, query, ranked.numbers[: depths.refine], each)
            hits.append(refined_first(ranked, exact, options.limit))
    return hits


def _everything(members: Mapping[Held, Int64], query: Float32, limit: int, each: Each) -> Hits:
    """All passages that pass, by exact MaxSim."""

    def best(one: Held) -> tuple[Int64, Float32]:
        places, scores = _leading(one.resident.maxsim(query, members[one]), limit)
        return one.part.base + members[one][places.cpu().numpy()], scores.cpu().numpy()

    numbers, scores = zip(*each(best, list(members)), strict=True)
    return best_hits(np.concatenate(numbers), np.concatenate(scores), limit)


def _retrieve(
    held: Sequence[Held], queries: Float32, depths: Depths, imputation: Imputation, each: Each
) -> _Found:
    """The `k_tokens` nearest tokens of all segments for each query token.

    As on the CPU, what lies under the k-th best of all is dropped, so that the similarity imputed is one
    for all segments and devices, and of equals at the k-th place all stay.
    """
    k = depths.k_tokens

    def nearest(one: Held) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        part = one.part
        most = REFINED_PROBES if depths.refine and part.allowed is not None else None
        similarities, passages = one.resident.nearest(
            queries, min(k, part.passing), part.allowed, passing=part.passing, most_probes=most
        )
        passages = torch.where(passages == NOTHING, NOTHING, passages + part.base)
        guess = one.resident.bounds(queries, k) if imputation == "clusters" else None
        return similarities, passages, guess

    home = held[0].resident.device
    found = list(each(nearest, held))
    similarities = torch.cat([values.to(home) for values, _, _ in found], dim=1)
    passages = torch.cat([names.to(home) for _, names, _ in found], dim=1)
    if similarities.shape[1] > k:
        kth = best_of_grid(similarities, passages, k)[0][:, -1:]
        passages = passages.masked_fill(similarities < kth, NOTHING)
    guesses = [guess.to(home) for _, _, guess in found if guess is not None]
    return _Found(similarities, passages, torch.stack(guesses).amax(dim=0) if guesses else None)


def _xtr(found: _Found, rows: slice, weights: Float32, limit: int) -> Hits:
    """The `limit` best passages of one query's rows by XTR; `xtr_scores` on the device."""
    similarities, passages = found.similarities[rows].double(), found.passages[rows]
    there = passages != NOTHING
    if found.bound is None:
        imputed = similarities.masked_fill(~there, torch.inf).amin(dim=1)
        imputed = imputed.masked_fill(imputed.isinf(), 0.0)
    else:
        imputed = found.bound[rows].double()
    numbers, columns = torch.unique(passages[there], return_inverse=True)
    gains = (similarities - imputed[:, None])[there].clamp(min=0)
    cells = there.nonzero()[:, 0] * len(numbers) + columns
    best = torch.zeros(len(similarities) * len(numbers), dtype=torch.float64, device=gains.device)
    best.scatter_reduce_(0, cells, gains, "amax")
    given = torch.tensor(weights).to(gains)
    scores = given @ best.view(len(similarities), len(numbers)) + imputed @ given
    places, leading = _leading(scores / given.sum(), limit)
    return best_hits(numbers[places].cpu().numpy(), leading.cpu().numpy(), limit)


def _maxsim(held: Sequence[Held], query: Float32, numbers: Int64, each: Each) -> Float32:
    """Exact scores (m,) of passages by number, each where its segment lies."""
    scores = np.zeros(len(numbers), np.float32)

    def refine(one: Held) -> None:
        part = one.part
        own = np.flatnonzero((numbers >= part.base) & (numbers < part.base + part.index.passages))
        own = own[np.argsort(numbers[own])]
        if len(own):
            scores[own] = one.resident.maxsim(query, numbers[own] - part.base).cpu().numpy()

    list(each(refine, held))
    return scores


def _leading(scores: torch.Tensor, limit: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places and values of those that can be among the `limit` best: all that tie for the last are."""
    rounded = scores.float()
    if limit >= len(rounded):
        return torch.arange(len(rounded), device=rounded.device), rounded
    places = (rounded >= rounded.topk(limit).values[-1]).nonzero()[:, 0]
    return places, rounded[places]
