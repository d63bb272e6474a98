"""Passages of the n-gram benchmark as token ids: made ones with Zipfian words, or those of BEIR sets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.beir import load
from retrieval.ngrams import LanguageVocabulary
from retrieval.types import Tokens

PASSAGE_TOKENS = 100
_EXPONENT = 1.07
_FOLLOWERS = 16
_STICKY = 0.6

Ids = NDArray[np.int32]


def made(tokens: int, vocabulary_size: int, seed: int) -> list[Tokens]:
    """Passages of 100 tokens, at least `tokens` together.

    How often a token occurs follows Zipf's law. After a token, one of its own sixteen followers comes in
    six of ten places, so that n-grams repeat as they do in a language.
    """
    random = np.random.default_rng(seed)
    passages = -(-tokens // PASSAGE_TOKENS)
    weights = np.cumsum(np.arange(1, vocabulary_size + 1) ** -_EXPONENT)
    names = random.permutation(vocabulary_size).astype(np.int32)

    def drawn(*shape: int) -> Ids:
        ranks = np.searchsorted(weights, random.random(shape) * weights[-1])
        return names[np.minimum(ranks, vocabulary_size - 1)]

    followers = drawn(vocabulary_size, _FOLLOWERS)
    ids = drawn(passages, PASSAGE_TOKENS)
    for at in range(1, PASSAGE_TOKENS):
        # The smaller of two draws: the first followers are the more frequent ones.
        which = random.integers(_FOLLOWERS, size=(2, passages)).min(axis=0)
        sticky = random.random(passages) < _STICKY
        ids[sticky, at] = followers[ids[sticky, at - 1], which[sticky]]
    places = np.arange(PASSAGE_TOKENS, dtype=np.int32)
    offsets = np.stack([places, places + 1], axis=1)
    return [Tokens(row, offsets) for row in ids]


def read(
    directories: Sequence[Path], vocabulary: LanguageVocabulary, tokens: int, split: str | None
) -> tuple[str, list[Tokens], list[str]]:
    """The sets' name, their documents as passages, and their questions.

    The documents are repeated until they have `tokens` tokens.
    """
    sets = [load(directory, split) for directory in directories]
    documents = [document.text for data in sets for document in data.documents]
    distinct: list[Tokens] = []
    read_tokens = 0
    for text in documents:
        distinct += vocabulary.tokenize([text])
        read_tokens += len(distinct[-1].ids)
        if read_tokens >= tokens:
            break
    if read_tokens == 0:
        raise SystemExit("the sets' documents have no tokens")
    passages: list[Tokens] = []
    for passage in cycle(distinct):
        if tokens <= 0:
            break
        passages.append(passage)
        tokens -= len(passage.ids)
    questions = [question for data in sets for question in data.queries.values()]
    return "+".join(data.name for data in sets), passages, questions


def sampled(passages: Sequence[Tokens], length: int, count: int, seed: int) -> list[tuple[int, ...]]:
    """N-grams of `length` tokens from random places; none if all passages are shorter."""
    random = np.random.default_rng([seed, length])
    long_enough = [passage.ids for passage in passages if len(passage.ids) >= length]
    found = []
    for _ in range(count if long_enough else 0):
        ids = long_enough[int(random.integers(len(long_enough)))]
        at = int(random.integers(len(ids) - length + 1))
        found.append(tuple(ids[at : at + length].tolist()))
    return found
