"""Lexical compression: keeps the words around the question's words. It needs no model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from base.text.stems import stem
from base.text.words import words
from compress.base import Compressed
from compress.budget import CountTokens, ScoredWords, fit_budget, fits_already
from compress.protect import Protection

Floats = NDArray[np.float64]


class LexicalCompressor:
    """Scores a word by the question's words around it.

    A word that the question also has (after stemming) weighs log(N / n): N words in the given texts, n of
    them this one. So "the" weighs little and a name much. The score of a word is the mean weight of the
    `window` words around it, because answers are near the question's words, not on them. Without a question
    all scores are equal, and each text keeps its beginning.
    """

    name = "lexical"

    def __init__(
        self, count_tokens: CountTokens, *, window: int = 31, protection: Protection | None = None
    ) -> None:
        if window < 1 or window % 2 == 0:
            raise ValueError("window must be odd and at least 1")
        self._count_tokens = count_tokens
        self._window = window
        self._protection = protection or Protection()

    def compress(self, query: str, texts: Sequence[str], *, target_tokens: int) -> list[Compressed]:
        """Keeps the words nearest to the question's; `sum(tokens_after) <= target_tokens` over all texts."""
        before, whole = fits_already(texts, target_tokens, self._count_tokens)
        if whole is not None:
            return whole
        spans = [words(text) for text in texts]
        stems = [stems_of(text, span) for text, span in zip(texts, spans, strict=True)]
        scored = [
            ScoredWords(
                span,
                pool(weights, self._window),
                self._protection.protected(text, span),
                self._protection.is_end(text, span),
            )
            for text, span, weights in zip(texts, spans, overlap(query, stems), strict=True)
        ]
        return fit_budget(texts, scored, before, target_tokens=target_tokens, count_tokens=self._count_tokens)


def stems_of(text: str, spans: NDArray[np.int32]) -> list[str]:
    """The words of `text`, case folded and stemmed as English."""
    return [stem(text[start:end].casefold()) for start, end in spans.tolist()]


def overlap(query: str, stems: Sequence[Sequence[str]]) -> list[Floats]:
    """The weight of each word of each text: log(N / n) where the question has it, else 0."""
    counts = Counter(word for text in stems for word in text)
    total = counts.total()
    asked = {word for word in stems_of(query, words(query)) if any(map(str.isalnum, word))}
    weight = {word: math.log(total / counts[word]) for word in asked if word in counts}
    return [np.array([weight.get(word, 0.0) for word in text], dtype=np.float64) for text in stems]


def pool(weights: Floats, window: int) -> Floats:
    """The mean over the `window` places around each place (n,); beyond the ends stand zeros."""
    half = window // 2
    sums = np.concatenate([np.zeros(1), np.cumsum(weights)])
    places = np.arange(len(weights))
    last = np.minimum(places + half + 1, len(weights))
    pooled: Floats = (sums[last] - sums[np.maximum(places - half, 0)]) / window
    return pooled
