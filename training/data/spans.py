"""Spans of a passage for a question: what a writer of n-grams should have written."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Bits, Float32, Int32

_OVERLAP, _ANSWER = 0.5, 0.3
"""Shares of the spans that lie where the question's words are, and around the answer; the rest is rare."""
_SHORTEST = 3
_SHARP = 1.5


class SpanChooser:
    """Draws spans of passages that begin with a word that may open an n-gram (SEAL, section 3.1).

    `openers` (V,) says which tokens these are; `kinds` (V,) gives tokens that differ in capitals alone one
    number; `frequency` (V,) counts the passages with a token, of `passages`.
    """

    def __init__(self, openers: Bits, kinds: Int32, frequency: NDArray[np.int64], passages: int) -> None:
        self._openers = openers
        self._kinds = kinds
        self._rarity: Float32 = np.log1p(passages / (frequency + 1)).astype(np.float32)

    def choose(
        self,
        passage: Int32,
        question: Int32,
        *,
        answer: Bits,
        left_out: Bits,
        count: int,
        length: int,
        rng: random.Random,
    ) -> list[list[int]]:
        """Up to `count` different spans of up to `length` tokens of `passage` (n,).

        `answer` (n,) marks tokens of the answer; no span has a token of those `left_out` (n,). Half of them
        are drawn by how many of the `question`'s content tokens they have, three in ten hold a part of the
        answer, and the rest are drawn by how rare their tokens are.
        """
        barred = _in_windows(left_out, length) > 0
        starts = np.flatnonzero(
            self._openers[passage] & ~barred & (np.arange(len(passage)) + _SHORTEST <= len(passage))
        )
        if not len(starts):
            return []
        content = question[self._openers[question]]
        shared = _in_windows(np.isin(self._kinds[passage], self._kinds[content]), length)[starts]
        holds = (_in_windows(answer, length)[starts] > 0).astype(np.float64)
        rare = _in_windows(self._rarity[passage], length)[starts] / length
        wanted = (
            (round(count * _OVERLAP), np.exp(_SHARP * shared)),
            (round(count * _ANSWER), holds if holds.any() else np.exp(_SHARP * shared)),
            (count, np.exp(rare)),
        )
        chosen: list[int] = []
        for share, weights in wanted:
            chosen += _drawn(weights, min(share, count - len(chosen)), chosen, rng)
        spans = (tuple(passage[start : start + length].tolist()) for start in starts[chosen])
        return [list(span) for span in dict.fromkeys(spans)]


def _in_windows(values: NDArray[np.generic], length: int) -> NDArray[np.float64]:
    """The sum of the values from each place on, `length` of them."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.minimum(np.arange(len(values)) + length, len(values))
    found: NDArray[np.float64] = sums[ends] - sums[:-1]
    return found


def _drawn(weights: NDArray[np.float64], count: int, taken: Sequence[int], rng: random.Random) -> list[int]:
    """Up to `count` places, each once, by weight; those `taken` are left out."""
    left = weights.astype(np.float64)
    left[list(taken)] = 0
    with np.errstate(divide="ignore"):
        # Gumbel's trick: the largest of log-weights with noise are a draw without replacement.
        noise = np.array([-np.log(-np.log(rng.random() or 0.5)) for _ in left])
        keys = np.log(left) + noise
    order = np.argsort(-keys)[:count]
    return [int(at) for at in order if left[at] > 0]
