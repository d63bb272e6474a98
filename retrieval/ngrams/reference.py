"""Slow, obviously right twins of the n-gram index, the beam and the scorer, for tests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

Passages: TypeAlias = Sequence[Sequence[int]]
Ngram: TypeAlias = tuple[int, ...]


def occurrences(passages: Passages, ngram: Ngram) -> list[tuple[int, int]]:
    """(passage, position) of every occurrence, in order."""
    return [
        (number, at)
        for number, passage in enumerate(passages)
        for at in range(len(passage) - len(ngram) + 1)
        if tuple(passage[at : at + len(ngram)]) == ngram
    ]


def following(passages: Passages, ngram: Ngram) -> Counter[int]:
    """How often each token follows the n-gram."""
    return Counter(
        passages[number][at + len(ngram)]
        for number, at in occurrences(passages, ngram)
        if at + len(ngram) < len(passages[number])
    )


def beam_search(
    log_probabilities: Callable[[Ngram], Sequence[float]],
    passages: Passages,
    *,
    beams: int,
    length: int,
    openers: Collection[int],
) -> list[tuple[Ngram, float]]:
    """Every n-gram met by a beam search over all n-grams of the passages, with its log p."""
    beam: list[tuple[Ngram, float]] = [((), 0.0)]
    met: list[tuple[Ngram, float]] = []
    for depth in range(length):
        candidates = [
            ((*ngram, token), score + log_probabilities(ngram)[token], at)
            for at, (ngram, score) in enumerate(beam)
            for token in following(passages, ngram)
            if depth > 0 or token in openers
        ]
        candidates.sort(key=lambda found: (-found[1], found[2], found[0][-1]))
        best = [(ngram, score) for ngram, score, _ in candidates[: 2 * beams]]
        met += best
        beam = best[:beams]
    return met


def weight(log_probability: float, count: int, total: int, length: int, alpha: float = 2.0) -> float:
    """SEAL's n-gram weight, from its definition."""
    p = math.exp(log_probability)
    u = (count + 5) / (total + 5)
    odds = math.log(p * (1 - u) / (u * (1 - p)))
    return max(0.0, odds) ** (alpha if length > 1 else 1.0)


def cover(passage: Sequence[int], ngrams: Sequence[tuple[Ngram, float]], beta: float = 0.8) -> float:
    """A passage's score by n-grams given in the order in which they are tried."""
    taken: set[int] = set()
    covered: set[int] = set()
    score = 0.0
    for ngram, value in ngrams:
        for _, at in occurrences([passage], ngram):
            span = set(range(at, at + len(ngram)))
            if not span & taken:
                tokens = set(ngram)
                score += value * (1 - beta + beta * len(tokens - covered) / len(tokens))
                taken |= span
                covered |= tokens
                break
    return score


def rank(
    passages: Passages,
    allowed: Collection[int],
    ngrams: Sequence[tuple[Ngram, float]],
    *,
    rare: int,
    proposals: int,
) -> list[tuple[int, float]]:
    """(passage, score), best first: rare n-grams propose, all n-grams score the best proposals."""
    scored = [(ngram, value) for ngram, value in ngrams if value > 0]
    scored.sort(key=lambda pair: (-pair[1], pair[0]))
    few = [pair for pair in scored if len(occurrences(passages, pair[0])) <= rare]
    proposed = {number: cover(passages[number], few) for number in allowed}
    best = sorted((n for n, s in proposed.items() if s > 0), key=lambda n: (-proposed[n], n))[:proposals]
    final = {number: cover(passages[number], scored) for number in best}
    return sorted(final.items(), key=lambda pair: (-pair[1], pair[0]))
