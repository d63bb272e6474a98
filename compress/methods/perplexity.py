"""Selective Context: keeps the words that a language model does not expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from excerpta.types.compress import Perplexity
from numpy.typing import NDArray

from base.methods import Method
from base.text.words import words
from compress.base import ScoredWords
from compress.pooling import pool, word_probabilities

LONGEST = 1024
OVERLAP = 128
"""A text of more tokens is read in stretches; each sees this many tokens before its own."""


class Tokenized(Protocol):
    """One text's tokens: `ids` (n,), character `offsets` (n, 2)."""

    @property
    def ids(self) -> NDArray[np.integer[Any]]:
        """Token ids (n,)."""
        ...

    @property
    def offsets(self) -> NDArray[np.integer[Any]]:
        """Character offsets (n, 2), half-open."""
        ...


class Likelihoods(Protocol):
    """The interface of `models.networks.language_model.LanguageModel`."""

    def encode(self, text: str) -> list[int]:
        """Token ids."""
        ...

    def tokenize(self, texts: Sequence[str]) -> Sequence[Tokenized]:
        """Each text's tokens."""
        ...

    def log_likelihoods(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> Sequence[NDArray[np.float64]]:
        """log p of each token of each continuation."""
        ...


class PerplexityScorer:
    """Question-blind compression by self-information (Selective Context, Li et al. 2023).

    A token's self-information is -log p(token | the tokens before it) (equation 2). A word's score is the
    mean over its tokens, averaged over the `window` words around it; the paper averages over noun phrases.
    Each text is read alone. A text of many tokens is read in stretches, each after the 128 tokens before it.
    """

    def __init__(self, lm: Likelihoods) -> None:
        self._lm = lm

    def score(
        self, query: str, texts: Sequence[str], options: Perplexity, *, rate: float
    ) -> Sequence[ScoredWords]:
        """The words of each text by their surprise; the question is not read."""
        tokens = self._lm.tokenize(texts)
        first = self._lm.encode("\n")
        stretches = [
            (at, start, end) for at, one in enumerate(tokens) for start, end in stretches_of(len(one.ids))
        ]
        prompts = [
            [*first, *tokens[at].ids[max(0, start - OVERLAP) : start].tolist()] for at, start, _ in stretches
        ]
        wanted = [tokens[at].ids[start:end].tolist() for at, start, end in stretches]
        surprise = [np.zeros(len(one.ids)) for one in tokens]
        found = self._lm.log_likelihoods(prompts, wanted) if stretches else []
        for (at, start, end), values in zip(stretches, found, strict=True):
            surprise[at][start:end] = -values
        scored = []
        for text, one, values in zip(texts, tokens, surprise, strict=True):
            spans = words(text)
            of_words = word_probabilities(spans, np.asarray(one.offsets), values)
            scored.append(ScoredWords(spans, pool(of_words, options.window)))
        return scored


def stretches_of(count: int) -> list[tuple[int, int]]:
    """Half-open stretches that cover `count` tokens.

    >>> stretches_of(2000)
    [(0, 896), (896, 1792), (1792, 2000)]
    """
    size = LONGEST - OVERLAP
    return [(start, min(start + size, count)) for start in range(0, count, size)]


METHOD = Method(Perplexity, lambda networks: PerplexityScorer(networks.lm), frozenset({"lm"}))
