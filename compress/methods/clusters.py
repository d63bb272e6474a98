"""Clusters of sentences: keeps the most central ones of each, quoted, so every topic is covered."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from excerpta.types.compress import Clusters
from numpy.typing import NDArray

from base.methods import Method
from base.text.sentences import sentences
from base.text.words import words
from compress.base import Floats, ScoredWords
from compress.relevance import of_words
from compress.stems import stems_of

DIMENSIONS = 512
"""Places that stems are hashed to."""

_ROUNDS = 20


class ClusterScorer:
    """Question-blind compression by clusters (CRAG, Akesson and Santos 2024), without a language model.

    The paper has a language model summarise each cluster of texts. Here the sentences of all texts are
    clustered, and a cluster is represented by its own sentences: the medoid first, the one with the greatest
    sum of cosines to the others, then the next. The clusters take turns, the largest first. So what stays is
    quoted from the passage that it stands in. A sentence's vector is its stems by TF-IDF, hashed.
    """

    def score(
        self, query: str, texts: Sequence[str], options: Clusters, *, rate: float
    ) -> Sequence[ScoredWords]:
        """The words of each text by the turn of their sentence; the question is not read."""
        spans = [words(text) for text in texts]
        starts = [np.array([one.start for one in sentences(text)], dtype=np.float64) for text in texts]
        owners = [
            np.maximum(np.searchsorted(begins, span[:, 0], side="right") - 1, 0)
            for begins, span in zip(starts, spans, strict=True)
        ]
        firsts = np.concatenate([[0], np.cumsum([len(begins) for begins in starts])]).astype(np.int64)
        read = [stems_of(text, span) for text, span in zip(texts, spans, strict=True)]
        places = [first + own for first, own in zip(firsts.tolist(), owners, strict=False)]
        vectors = vectors_of(
            [stem for text in read for stem in text], np.concatenate(places), int(firsts[-1])
        )
        turns = turns_of(vectors, cluster(vectors, options.clusters))
        scores = np.split(-turns.astype(np.float64), firsts[1:-1])
        return [
            ScoredWords(span, of_words(span, begins, values))
            for span, begins, values in zip(spans, starts, scores, strict=True)
        ]


def vectors_of(stems: Sequence[str], owners: NDArray[np.int64], count: int) -> Floats:
    """A unit vector (count, DIMENSIONS) a sentence: each stem's log(N / n), added at the place of its hash.

    `owners` (n,) are the stems' sentences. N sentences are given, n of them have the stem. Signs, and stems
    that every sentence has, weigh nothing; a sentence of such alone has zeros.
    """
    known, numbers = np.unique(np.array(stems, dtype=object).astype(str), return_inverse=True)
    pairs = (
        np.unique(np.stack([owners, numbers], axis=1), axis=0) if len(stems) else np.zeros((0, 2), np.int64)
    )
    frequency = np.bincount(pairs[:, 1], minlength=len(known))
    named = np.array([any(map(str.isalnum, stem)) for stem in known.tolist()], dtype=bool)
    weights = np.where(named, np.log(max(count, 1) / np.maximum(frequency, 1)), 0.0)
    hashes = np.array([zlib.crc32(stem.encode("utf-8", "replace")) for stem in known.tolist()], np.int64)
    vectors = np.zeros((count, DIMENSIONS))
    signs = np.where(hashes >> 16 & 1, 1.0, -1.0)
    np.add.at(vectors, (owners, (hashes % DIMENSIONS)[numbers]), (weights * signs)[numbers])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def cluster(vectors: Floats, count: int) -> NDArray[np.int64]:
    """Spherical k-means: the cluster (n,) of each unit vector (n, d), from 0; of equal ones the lowest.

    It begins with the vector nearest to the mean, and adds the one that is farthest from those chosen, so it
    needs no seed.
    """
    if not len(vectors):
        return np.zeros(0, np.int64)
    chosen = [int(np.argmax(vectors @ vectors.mean(axis=0)))]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < min(count, len(vectors)):
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    centres = vectors[chosen]
    labels = np.argmax(vectors @ centres.T, axis=1)
    for _ in range(_ROUNDS):
        for number in range(len(centres)):
            total = vectors[labels == number].sum(axis=0)
            length = float(np.linalg.norm(total))
            if length > 0:
                centres[number] = total / length
        again = np.argmax(vectors @ centres.T, axis=1)
        if np.array_equal(again, labels):
            break
        labels = again
    return labels.astype(np.int64)


def turns_of(vectors: Floats, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place (n,) of each sentence, 0 first: all medoids, then every cluster's second sentence, and so on.

    Within a cluster the sum of the cosines to its members decides; between clusters their size. What is equal
    keeps its order.
    """
    sizes = np.bincount(labels) if len(labels) else np.zeros(0, np.int64)
    rounds = np.zeros(len(labels), np.int64)
    for number in range(len(sizes)):
        members = np.flatnonzero(labels == number)
        central = vectors[members] @ vectors[members].sum(axis=0)
        rounds[members[np.argsort(-central.round(9), kind="stable")]] = np.arange(len(members))
    turns = np.zeros(len(labels), np.int64)
    turns[np.lexsort((labels, -sizes[labels], rounds))] = np.arange(len(labels))
    return turns


METHOD = Method(Clusters, lambda networks: ClusterScorer(), frozenset({"lm"}))
