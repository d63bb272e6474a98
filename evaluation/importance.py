"""How much each source of a corpus is worth to the questions of a validation set, as a weight from 0 to 1.

A source is kept with the probability that is its weight, apart from all others. The utility of a question is
then the expected share of answers among the first `top` documents of its ranking whose sources are kept: the
multilinear extension of the utility over sets of sources (Lyu et al. 2023, data importance). Its gradient is
computed exactly, and followed from 1/2 within the cube. Weights of sources that only push answers out fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """One question's documents, best first: the number of each one's source, and whether it answers."""

    sources: Sequence[int]
    answers: Sequence[float]


def expected_utility(ranking: Ranking, weights: Floats, top: int) -> Floats:
    """The expected share of answers (b,) among the first `top` kept documents, for rows of weights (b, s).

    Documents of one source stay or go together. A document counts when its source is kept and fewer than
    `top` documents before it are: the distribution of their number is built source by source.
    """
    total = np.zeros(len(weights))
    before: dict[int, int] = {}
    for source, answer in zip(ranking.sources, ranking.answers, strict=True):
        own = before.get(source, 0)
        if own >= top:
            continue
        if answer:
            counts = np.zeros((len(weights), top))
            counts[:, own] = 1.0
            for other, size in before.items():
                if other != source:
                    kept = weights[:, other, None]
                    moved = np.zeros_like(counts)
                    moved[:, size:] = counts[:, : max(top - size, 0)]
                    counts = (1 - kept) * counts + kept * moved
            total += answer * weights[:, source] * counts.sum(axis=1)
        before[source] = own + 1
    return total / top


def expected_utility_slow(ranking: Ranking, weights: Sequence[float], top: int) -> float:
    """The same by its definition: every set of sources with its probability."""
    total = 0.0
    for kept in product((False, True), repeat=len(weights)):
        chance = np.prod(
            [weight if stays else 1 - weight for weight, stays in zip(weights, kept, strict=True)]
        )
        left = [
            answer for source, answer in zip(ranking.sources, ranking.answers, strict=True) if kept[source]
        ]
        total += float(chance) * sum(left[:top]) / top
    return total


def gradient(rankings: Sequence[Ranking], weights: Floats, top: int) -> Floats:
    """The derivative (s,) of the mean utility by each weight: with the source for certain, less without."""
    found = np.zeros(len(weights))
    for ranking in rankings:
        seen = sorted(set(ranking.sources))
        rows = np.tile(weights, (2 * len(seen), 1))
        rows[np.arange(len(seen)), seen] = 1.0
        rows[len(seen) + np.arange(len(seen)), seen] = 0.0
        with_it, without = np.split(expected_utility(ranking, rows, top), 2)
        found[seen] += with_it - without
    return found / max(len(rankings), 1)


def learn(
    rankings: Sequence[Ranking], sources: int, top: int, *, steps: int = 50, rate: float = 1.0
) -> Floats:
    """The weights (s,) after `steps` of projected ascent, the first ones the longest.

    A source that no ranking has keeps 1/2.
    """
    weights = np.full(sources, 0.5)
    for step in range(steps):
        slope = gradient(rankings, weights, top)
        largest = float(np.abs(slope).max(initial=0.0))
        if largest == 0:
            break
        weights = np.clip(weights + rate / (step + 2) * slope / largest, 0.0, 1.0)
    return weights
