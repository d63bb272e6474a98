"""From weighted n-grams to ranked passages: rare ones propose, all score the best proposals."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.ngrams.beam import Ngram
from retrieval.ngrams.corpus import NgramCorpus, Range
from retrieval.ngrams.scoring import Key, KeyMatcher, Placed, ngram_weights, place
from retrieval.ngrams.suffix_array import Positions

RARE = 1500
PROPOSALS = 500
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage, its score, and the n-grams that make it, heaviest first."""

    number: int
    score: float
    placed: list[Placed]


def rank_passages(
    corpus: NgramCorpus,
    ngrams: Sequence[Ngram],
    *,
    limit: int,
    rare: int = RARE,
    proposals: int = PROPOSALS,
) -> list[RankedPassage]:
    """The `limit` best passages, ties by number.

    N-grams that occur at most `rare` times propose passages; the `proposals` best of these (at least
    `limit`) are scored again with all n-grams. SEAL, Bevilacqua et al. 2022, section 3.3 and appendix.
    """
    keys, ranges = _weigh(corpus, ngrams)
    few = [at for at, found in enumerate(ranges) if found.count <= rare]
    proposed = _propose(corpus, [keys[at] for at in few], [ranges[at] for at in few], max(limit, proposals))
    matcher = KeyMatcher(keys)
    ranked = [
        RankedPassage(number, *place(keys, matcher.positions(corpus.passage(number).tolist())))
        for number in proposed
    ]
    # Scores are published in single precision; what ties there must be ordered by number.
    ranked.sort(key=lambda passage: (-np.float32(passage.score), passage.number))
    return ranked[:limit]


def _weigh(corpus: NgramCorpus, ngrams: Sequence[Ngram]) -> tuple[list[Key], list[Range]]:
    """The n-grams that weigh something, heaviest first, each once with its highest probability."""
    rising = sorted(ngrams, key=lambda ngram: ngram.log_probability)
    unique = list({ngram.ids: ngram for ngram in rising}.values())
    weights = ngram_weights(
        [ngram.log_probability for ngram in unique],
        [ngram.found.count for ngram in unique],
        corpus.tokens,
        [len(ngram.ids) for ngram in unique],
    )
    weighed = [
        (Key(ngram.ids, weight), ngram.found)
        for ngram, weight in zip(unique, weights.tolist(), strict=True)
        if weight > 0
    ]
    weighed.sort(key=lambda pair: (-pair[0].weight, pair[0].ids))
    return [key for key, _ in weighed], [found for _, found in weighed]


def _propose(corpus: NgramCorpus, keys: Sequence[Key], ranges: Sequence[Range], most: int) -> list[int]:
    """The `most` passages with the best scores by `keys` alone.

    A passage cannot score more than the weights of the keys in it, so passages are tried in the order of
    that bound, and most are never scored.
    """
    if not keys:
        return []
    numbers, which, at = _occurrences(corpus, ranges)
    passages, group = np.unique(numbers, return_inverse=True)
    pairs = np.unique(group * len(keys) + which)
    weights = np.array([key.weight for key in keys])
    bounds = np.bincount(pairs // len(keys), weights[pairs % len(keys)], minlength=len(passages))
    edges = np.searchsorted(group, np.arange(len(passages) + 1))
    best: list[tuple[float, int]] = []
    for passage in np.lexsort((passages, -bounds)).tolist():
        if len(best) == most and bounds[passage] * _ROUNDING < best[0][0]:
            break
        positions: dict[int, list[int]] = {}
        rows = slice(edges[passage], edges[passage + 1])
        for key, position in zip(which[rows].tolist(), at[rows].tolist(), strict=True):
            positions.setdefault(key, []).append(position)
        entry = (place(keys, positions)[0], -int(passages[passage]))
        if len(best) < most:
            heapq.heappush(best, entry)
        else:
            heapq.heappushpop(best, entry)
    return [-number for _, number in best]


def _occurrences(corpus: NgramCorpus, ranges: Sequence[Range]) -> tuple[Positions, Positions, Positions]:
    """Passage, key number and position of every occurrence, in that order."""
    located = [corpus.locate(found) for found in ranges]
    numbers = np.concatenate([passages for passages, _ in located])
    at = np.concatenate([positions for _, positions in located])
    which = np.repeat(np.arange(len(ranges)), [len(passages) for passages, _ in located])
    order = np.lexsort((at, which, numbers))
    return numbers[order], which[order], at[order]
