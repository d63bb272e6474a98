from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.ngrams import reference
from retrieval.ngrams.beam import Ngram
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.ranking import rank_passages
from retrieval.ngrams.scoring import Key, KeyMatcher, ngram_weights, place
from tests.support.ngram_corpora import ALPHABET, Corpus, build, corpora, plain_tokens
from tests.support.speeds import examples

log_ps = st.floats(-30, -1e-6)
counts = st.integers(0, 1000)


def test_weight_by_hand() -> None:
    # u = (5 + 5) / (995 + 5) = .01, p = .5: odds are log(.5 * .99 / (.01 * .5)) = log 99.
    assert ngram_weights(math.log(0.5), 5, 995, 2) == pytest.approx(math.log(99) ** 2)
    assert ngram_weights(math.log(0.5), 5, 995, 1) == pytest.approx(math.log(99))
    assert ngram_weights(math.log(0.5), 5, 995, 2, alpha=1.0) == pytest.approx(math.log(99))
    assert ngram_weights(math.log(0.5), 5, 995, 2, smoothing=0.0) == pytest.approx(math.log(198) ** 2)
    # Less probable than in the corpus at large: no evidence.
    assert ngram_weights(math.log(0.005), 5, 995, 2) == 0


@given(log_ps, counts, st.integers(1001, 10**9), st.integers(1, 10))
def test_weight_equals_its_twin(log_p: float, count: int, total: int, length: int) -> None:
    expected = reference.weight(log_p, count, total, length)
    assert ngram_weights(log_p, count, total, length) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(log_ps, log_ps, counts, counts, st.integers(1, 10))
def test_weight_rises_with_probability_and_falls_with_frequency(
    log_p: float, other: float, count: int, more: int, length: int
) -> None:
    low, high = sorted((log_p, other))
    rare, frequent = sorted((count, more))
    assert ngram_weights(low, count, 2000, length) <= ngram_weights(high, count, 2000, length)
    assert ngram_weights(log_p, frequent, 2000, length) <= ngram_weights(log_p, rare, 2000, length)


def test_extreme_weights_are_finite() -> None:
    weights = ngram_weights([0.0, -1e4, 0.0], [0, 0, 7], 7, [2, 2, 1])
    assert np.isfinite(weights).all()
    assert ngram_weights([], [], 0, []).tolist() == []


def test_place_by_hand() -> None:
    keys = [Key((1, 2), 10.0), Key((2, 3), 5.0), Key((1, 2, 3), 4.0), Key((3,), 1.0)]
    passage = [1, 2, 3, 9, 2, 3]
    score, placed = place(keys, KeyMatcher(keys).positions(passage))
    # (1,2) at 0 in full. (2,3) at 1 overlaps, so at 4: 2 is covered, c = .2 + .8 / 2. (1,2,3) has no place
    # left. (3,) at 2: covered, c = .2.
    assert [(item.key.ids, item.at) for item in placed] == [((1, 2), 0), ((2, 3), 4), ((3,), 2)]
    assert [item.weight for item in placed] == pytest.approx([10.0, 5 * 0.6, 1 * 0.2])
    assert score == pytest.approx(13.2)
    assert place(keys, {0: [0], 1: [4]}, beta=0.0)[0] == pytest.approx(15)
    assert place(keys, {0: [0], 1: [4]}, beta=1.0)[0] == pytest.approx(12.5)
    assert place([], {}) == (0.0, [])


@given(
    st.lists(st.integers(0, 3), max_size=20),
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), max_size=8, unique_by=tuple),
)
def test_matching_and_placing_equal_their_twins(passage: list[int], ngrams: list[list[int]]) -> None:
    keys = [Key(tuple(ids), float(len(ngrams) - at)) for at, ids in enumerate(ngrams)]
    positions = KeyMatcher(keys).positions(passage)
    for number, key in enumerate(keys):
        expected = [at for _, at in reference.occurrences([passage], key.ids)]
        assert positions.get(number, []) == expected
    expected_score = reference.cover(passage, [(key.ids, key.weight) for key in keys])
    assert place(keys, positions)[0] == pytest.approx(expected_score)


weighed = st.dictionaries(
    st.lists(st.integers(0, ALPHABET - 1), min_size=1, max_size=3).map(tuple),
    st.floats(-4, -0.01),
    max_size=10,
)


@given(corpora(), weighed, st.integers(1, 4), st.integers(1, 9), st.integers(0, 6))
@settings(max_examples=examples(120))
def test_ranking_equals_its_twin(
    corpus: Corpus, log_p: dict[tuple[int, ...], float], proposals: int, rare: int, limit: int
) -> None:
    ngrams = corpus.union()
    found = [Ngram(ids, value, ngrams.find(ids)) for ids, value in log_p.items()]
    ranked = rank_passages(ngrams, found, limit=limit, rare=rare, proposals=proposals)
    total = sum(map(len, corpus.passages))
    # Corpora this small have u near 1, where the two formulas round differently: weights are given.
    weights = ngram_weights(
        list(log_p.values()), [item.found.count for item in found], total, [len(ids) for ids in log_p]
    )
    pairs = list(zip(log_p, weights.tolist(), strict=True))
    expected = reference.rank(
        corpus.passages, corpus.live, pairs, rare=rare, proposals=max(limit, proposals)
    )[:limit]
    assert [item.score for item in ranked] == pytest.approx([score for _, score in expected])
    assert {item.number for item in ranked} <= set(corpus.live)
    if len({round(score, 5) for _, score in expected}) == len(expected):
        assert [item.number for item in ranked] == [number for number, _ in expected]


@given(corpora(), weighed)
@settings(max_examples=examples(60))
def test_ranking_does_not_depend_on_segments(corpus: Corpus, log_p: dict[tuple[int, ...], float]) -> None:
    def ranked(cuts: list[int]) -> list[tuple[int, float]]:
        ngrams = Corpus(corpus.passages, cuts, corpus.allowed).union()
        found = [Ngram(ids, value, ngrams.find(ids)) for ids, value in log_p.items()]
        return [(item.number, item.score) for item in rank_passages(ngrams, found, limit=9)]

    assert ranked([]) == ranked(corpus.cuts) == ranked([1, 2, 3, 4, 5, 6])


def test_frequent_ngrams_score_but_do_not_propose() -> None:
    passages = [[0, 1], [0, 1], [0, 1, 2, 3]]
    ngrams = NgramCorpus([build([plain_tokens(ids) for ids in passages], 50)], [0])
    found = [Ngram(ids, -1e-6, ngrams.find(ids)) for ids in [(0, 1), (2, 3)]]
    both = rank_passages(ngrams, found, limit=9, rare=3)
    few = rank_passages(ngrams, found, limit=9, rare=2)
    assert [item.number for item in both] == [2, 0, 1]
    assert [item.number for item in few] == [2]
    assert few[0].score == both[0].score
    assert {placed.key.ids for placed in few[0].placed} == {(0, 1), (2, 3)}


def test_an_ngram_given_twice_counts_once_with_its_higher_probability() -> None:
    ngrams = NgramCorpus([build([plain_tokens([0, 1, 0, 1])], 50)], [0])
    one = Ngram((0, 1), -0.1, ngrams.find((0, 1)))
    low = Ngram((0, 1), -3.0, one.found)
    for order in itertools.permutations([one, low]):
        ranked = rank_passages(ngrams, order, limit=1)
        assert ranked == rank_passages(ngrams, [one], limit=1)
        assert len(ranked[0].placed) == 1
