"""From the scores of tokens to those of words, and from those to those of their surroundings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from base.text.words import Spans
from compress.base import Floats


def pool(weights: Floats, window: int) -> Floats:
    """The mean over the `window` places around each place (n,); beyond the ends stand zeros."""
    half = window // 2
    sums = np.concatenate([np.zeros(1), np.cumsum(weights)])
    places = np.arange(len(weights))
    last = np.minimum(places + half + 1, len(weights))
    pooled: Floats = (sums[last] - sums[np.maximum(places - half, 0)]) / window
    return pooled


def word_probabilities(spans: Spans, offsets: NDArray[Any], probabilities: NDArray[Any]) -> Floats:
    """The mean probability (n,) of the tokens that share a character with each word; 0 without any.

    `spans` (n, 2) and `offsets` (m, 2) are in order, half-open, in characters of the same text.
    """
    first = np.searchsorted(offsets[:, 1], spans[:, 0], side="right")
    last = np.searchsorted(offsets[:, 0], spans[:, 1], side="left")
    sums = np.concatenate([np.zeros(1), np.cumsum(probabilities, dtype=np.float64)])
    counts = np.maximum(last - first, 0)
    means: Floats = np.where(counts > 0, (sums[last] - sums[first]) / np.maximum(counts, 1), 0.0)
    return means


def first_probabilities(spans: Spans, offsets: NDArray[Any], probabilities: NDArray[Any]) -> Floats:
    """The probability (n,) of the first token that shares a character with each word; 0 without any."""
    first = np.searchsorted(offsets[:, 1], spans[:, 0], side="right")
    last = np.searchsorted(offsets[:, 0], spans[:, 1], side="left")
    padded = np.append(np.asarray(probabilities, dtype=np.float64), 0.0)
    found: Floats = np.where(last > first, padded[np.minimum(first, len(padded) - 1)], 0.0)
    return found
