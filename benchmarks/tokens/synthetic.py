"""Token vectors that behave like a language's: Zipfian words, topics, a context of each document.

A vector is the sum of what all tokens share, its word (in a group of related words), the topic, the
document, and its own rest. Weights are set so that a query's word has a similarity of about .85 to the
occurrence it came from, .6-.7 to other occurrences of the word, .35 to related words and .2-.3 to others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

PASSAGE_TOKENS = 80
QUERY_TOKENS = 32
QUERY_WORDS = 14
_WORDS, _GROUPS, _TOPICS, _TOPIC_WORDS = 20_000, 1_000, 100, 500
# Squares sum to 1. The same word elsewhere in the topic has a similarity of .25 + .45 + .07 = .77.
_SHARED, _WORD, _TOPIC, _DOCUMENT, _OWN = np.sqrt(np.array([0.25, 0.45, 0.07, 0.06, 0.17], np.float32))
_QUERY_LIKENESS, _PADDING_LIKENESS = 0.87, 0.93
_SLICE = 1_000


class Language:
    """What all passages of one seed share: vectors of words and topics, and how often words occur."""

    def __init__(self, dim: int, seed: int) -> None:
        random = np.random.default_rng([seed, 0])
        self.dim = dim
        self._shared = _units(random, 1, dim)
        groups = _units(random, _GROUPS, dim)[random.integers(_GROUPS, size=_WORDS)]
        self._words = _unit(np.float32(0.6) * groups + np.float32(0.8) * _units(random, _WORDS, dim))
        self._topics = _units(random, _TOPICS, dim)
        self._topic_words = random.integers(_WORDS, size=(_TOPICS, _TOPIC_WORDS))

    def passages(self, random: np.random.Generator, count: int) -> Float32:
        """Vectors (count * PASSAGE_TOKENS, dim); half of a passage's words are its topic's."""
        topics = random.integers(_TOPICS, size=count)
        shape = (count, PASSAGE_TOKENS)
        of_topic = self._topic_words[topics[:, None], _zipf(random, _TOPIC_WORDS, shape)]
        words = np.where(random.random(shape) < 0.5, of_topic, _zipf(random, _WORDS, shape)).reshape(-1)
        context = _TOPIC * self._topics[topics] + _DOCUMENT * _units(random, count, self.dim)
        context += _SHARED * self._shared
        vectors = _OWN * _units(random, len(words), self.dim)
        vectors += _WORD * self._words[words]
        vectors += np.repeat(context, PASSAGE_TOKENS, axis=0)
        return _unit(vectors)


def write(directory: Path, passages: int, *, queries: int = 100, dim: int = 128, seed: int = 0) -> None:
    """Writes `tokens`, `lengths`, `queries` and `query_lengths` (.npy), a slice at a time."""
    language = Language(dim, seed)
    tokens = np.lib.format.open_memmap(
        directory / "tokens.npy", mode="w+", dtype=np.float32, shape=(passages * PASSAGE_TOKENS, dim)
    )
    for number, first in enumerate(range(0, passages, _SLICE)):
        count = min(_SLICE, passages - first)
        vectors = language.passages(np.random.default_rng([seed, 1, number]), count)
        tokens[first * PASSAGE_TOKENS : (first + count) * PASSAGE_TOKENS] = vectors
    tokens.flush()
    asked = _queries(tokens, passages, queries, np.random.default_rng([seed, 2]))
    np.save(directory / "lengths.npy", np.full(passages, PASSAGE_TOKENS, np.int64))
    np.save(directory / "queries.npy", asked)
    np.save(directory / "query_lengths.npy", np.full(queries, QUERY_TOKENS, np.int64))


def _queries(tokens: Float32, passages: int, count: int, random: np.random.Generator) -> Float32:
    """Words of one passage a query; the places after them hold blurred copies, as ColBERT's padding does."""
    asked = np.empty((count, QUERY_TOKENS, tokens.shape[1]), np.float32)
    for query in asked:
        places = random.choice(PASSAGE_TOKENS, QUERY_WORDS, replace=False)
        words = tokens[int(random.integers(passages)) * PASSAGE_TOKENS + places]
        query[:QUERY_WORDS] = _blurred(words, _QUERY_LIKENESS, random)
        copied = query[random.integers(QUERY_WORDS, size=QUERY_TOKENS - QUERY_WORDS)]
        query[QUERY_WORDS:] = _blurred(copied, _PADDING_LIKENESS, random)
    return asked.reshape(-1, tokens.shape[1])


def _blurred(vectors: Float32, likeness: float, random: np.random.Generator) -> Float32:
    noise = _units(random, len(vectors), vectors.shape[1])
    return _unit(np.float32(likeness) * vectors + np.float32(np.sqrt(1 - likeness**2)) * noise)


def _zipf(random: np.random.Generator, words: int, shape: tuple[int, int]) -> Int64:
    """Ranks drawn with probability proportional to 1 / (rank + 2.7), Mandelbrot's form of Zipf's law."""
    cumulated = np.cumsum(1.0 / (np.arange(words) + 2.7))
    return np.searchsorted(cumulated, random.random(shape) * cumulated[-1])


def _units(random: np.random.Generator, count: int, dim: int) -> Float32:
    return _unit(random.standard_normal((count, dim), np.float32))


def _unit(vectors: Float32) -> Float32:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
