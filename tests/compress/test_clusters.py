"""Clusters of sentences: turns by the definition, every topic covered. And whole passages by relevance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress import CATALOGUE, Loose, TokenSimilarities, shorten
from compress.methods.clusters import cluster, turns_of, vectors_of
from compress.reference import turns_slow


def by_words(texts):
    return [len(text.split()) for text in texts]


def made(method, **options):
    return CATALOGUE[method].make(SimpleNamespace()), CATALOGUE.resolve({"method": method, **options})


@given(seed=st.integers(0, 1000), count=st.integers(0, 12), clusters=st.integers(1, 5))
def test_clusters_take_turns_by_the_definition(seed, count, clusters):
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (count, 3)).astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
    labels = cluster(vectors, clusters)
    assert np.argsort(turns_of(vectors, labels)).tolist() == turns_slow(vectors, labels)


def test_directions_apart_are_clusters_of_their_own():
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0.96, 0.28, 0], [0, 0, 1], [0, 0.8, 0.6]])
    labels = cluster(vectors, 3).tolist()
    assert labels[0] == labels[2]
    assert len({labels[0], labels[1], labels[3]}) == 3


def test_words_that_every_sentence_has_weigh_nothing():
    vectors = vectors_of(["the", "fig", "the", ".", "wasp"], np.array([0, 0, 1, 1, 1]), 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    assert abs(vectors[0] @ vectors[1]) < 1e-9


def test_every_topic_keeps_a_sentence():
    rail = ["Rail fares rose in Oslo.", "Rail fares in Oslo rose again.", "Oslo rail fares rose by half."]
    figs = ["Wasps pollinate figs.", "Figs need wasps to pollinate.", "Wasps breed within figs."]
    scorer, options = made("sentence-clusters", clusters=2)
    found = shorten(scorer, "", [" ".join(rail), " ".join(figs)], options, by_words, target_tokens=10)
    left = [one.text for one in found]
    assert left[0].count(".") == left[1].count(".") == 1
    assert any(sentence in left[0] for sentence in rail)
    assert any(sentence in left[1] for sentence in figs)
    assert sum(one.tokens_after for one in found) <= 10


class Near(Loose):
    """Texts whose similarity to the question is the number that they begin with."""

    def similarities(self):
        return [
            TokenSimilarities(np.full((2, 1), float(text.split()[0]), np.float32), np.array([[0, 1]]))
            for text in self.texts
        ]


@pytest.mark.parametrize("target", range(0, 22, 3))
def test_whole_passages_stay_in_the_order_of_their_similarity(target):
    texts = [".5 of five words here", ".9 has three", ".1 and so on to the end of it", ".7 two"]
    scorer, options = made("lexical", structure="passage", sentence_weight=0)
    found = shorten(scorer, "what has three", Near(texts), options, by_words, target_tokens=target)
    used, stays = 0, set()
    for text in sorted(texts, key=lambda text: -float(text.split()[0])):
        if used + len(text.split()) <= target:
            used += len(text.split())
            stays.add(text)
    assert [one.text for one in found] == [text if text in stays else "" for text in texts]
