"""LLMLingua-2's threshold rule, written as a rank: one sort, no repeated arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def tokens_below(scores: Floats, tokens: Counts) -> Counts:
    """For each word (n,), how many tokens belong to words with a strictly lower score."""
    order = np.argsort(scores, kind="stable")
    ahead = np.concatenate([[0], np.cumsum(tokens[order])])
    below: Counts = ahead[np.searchsorted(scores[order], scores, side="left")]
    return below


def percentile_rank(scores: Floats, tokens: Counts) -> Floats:
    """The share (0 to 1) of tokens that belong to words with a lower score, for each word (n,).

    LLMLingua-2 repeats each word's probability once a token of the target model, takes a percentile q of
    that array and keeps the words above it (Pan et al. 2024, section 4.2, and its code). With N tokens
    that percentile stands at the place (N - 1) * q / 100 of the sorted array, and a word, which has one
    token at least, lies above it exactly when more tokens than that lie below the word: when its rank
    here is over q / 100.
    """
    return tokens_below(scores, tokens) / max(int(tokens.sum()) - 1, 1)


def percentile_of(rate: float) -> int:
    """The percentile LLMLingua-2 cuts at to keep the share `rate` (0 to 1).

    >>> percentile_of(0.33)
    68
    """
    return min(int(100 * (1 - rate) + 1), 100)
