"""Small corpora of token ids, split into segments."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.index import NgramIndex
from retrieval.types import Bits, Tokens

ALPHABET = 4

TEXTS = [
    "The Normans were descended from Norse raiders and gave their name to Normandy.\r\nRollo swore fealty.",
    "Rollo was a Viking who became the first ruler of Normandy, a region in France.",
    "A prime number is a natural number greater than one.\n\n  Euclid proved there are infinitely many.",
    "The Rhine flows through Basel, Cologne 😀 and Rotterdam; the café “Lorelei” stands above it.",
    "Computational complexity theory classifies problems by the resources they need.",
]


def filler(passages: int = 40, words: int = 80) -> list[str]:
    """Made-up passages: in a corpus of a few sentences every n-gram is frequent, and none tells anything."""
    rng = np.random.default_rng(1)
    syllables = ["ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "ze"]
    lengths = rng.integers(2, 5, (passages, words)).tolist()
    return [" ".join("".join(rng.choice(syllables, n)) for n in row) for row in lengths]


PASSAGES = [*TEXTS, *filler()]


def plain_tokens(ids: Sequence[int]) -> Tokens:
    """Tokens one character wide."""
    places = np.arange(len(ids), dtype=np.int32)
    return Tokens(np.asarray(ids, np.int32), np.stack([places, places + 1], axis=1))


def build(tokens: Sequence[Tokens], size: int) -> NgramIndex:
    """An index whose files are gone when it is: the arrays stay mapped."""
    with tempfile.TemporaryDirectory() as name:
        NgramIndex.build(Path(name), tokens, vocabulary_size=size)
        return NgramIndex.open(Path(name))


@dataclass(frozen=True)
class Corpus:
    """Passages, the segments they are split into, and which are allowed."""

    passages: list[list[int]]
    cuts: list[int]
    allowed: list[bool] | None

    @property
    def live(self) -> list[int]:
        return [at for at in range(len(self.passages)) if self.allowed is None or self.allowed[at]]

    @property
    def live_passages(self) -> list[list[int]]:
        """The allowed passages; the others are empty, so that numbers stay."""
        return [passage if at in set(self.live) else [] for at, passage in enumerate(self.passages)]

    def union(self, size: int = ALPHABET) -> NgramCorpus:
        edges = sorted({0, *(cut for cut in self.cuts if cut < len(self.passages)), len(self.passages)})
        if len(edges) == 1:
            return NgramCorpus([], [])
        spans = list(pairwise(edges))
        indexes = [build([plain_tokens(ids) for ids in self.passages[a:b]], size) for a, b in spans]
        bits: list[Bits | None] = [
            None if self.allowed is None else np.array(self.allowed[a:b], np.bool_) for a, b in spans
        ]
        return NgramCorpus(indexes, edges[:-1], bits)


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    passage = st.lists(st.integers(0, ALPHABET - 1), max_size=9)
    passages = draw(st.lists(passage, max_size=7))
    cuts = draw(st.lists(st.integers(0, 7), max_size=2))
    bits = st.lists(st.booleans(), min_size=len(passages), max_size=len(passages))
    return Corpus(passages, cuts, draw(st.none() | bits))
