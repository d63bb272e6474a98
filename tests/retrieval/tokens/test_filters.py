"""A filtered search is a search of what the filter leaves: exactly so when it leaves little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.tokens import TokenIndex, TokenOptions, search_tokens, search_tokens_batch
from tests.support.speeds import examples

DIM, PASSAGES, TOKENS = 32, 1_200, 12


def clustered(rng, count):
    centres = rng.standard_normal((80, DIM)).astype(np.float32)
    vectors = centres[rng.integers(0, 80, count)] + 0.7 * rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def indexes(tmp_path_factory):
    """A listed segment and a flat one beside it."""
    rng = np.random.default_rng(0)
    made = []
    for name, count, flat_up_to in (("listed", 1_000, 0), ("flat", 200, 10**6)):
        directory = tmp_path_factory.mktemp(name)
        TokenIndex.build(directory, [clustered(rng, TOKENS) for _ in range(count)], flat_up_to=flat_up_to)
        made.append(TokenIndex.open(directory))
    assert [index.tier for index in made] == ["fast", "flat"]
    return made


def brute_force(indexes, query, allowed, limit):
    """Exact mean MaxSim over the stored vectors of every passing passage."""
    scores = {}
    base = 0
    for index in indexes:
        for number in np.flatnonzero(allowed[base : base + index.passages]):
            scores[base + int(number)] = float((query @ index.vectors(int(number)).T).max(axis=1).mean())
        base += index.passages
    return sorted(scores.items(), key=lambda one: (-np.float32(one[1]), one[0]))[:limit]


@settings(max_examples=examples(25))
@given(st.integers(0, 2**16), st.sampled_from([0.001, 0.005, 0.01, 0.05, 0.1, 0.3, 0.7, 1.0]))
def test_filtered_and_refined_is_brute_force_over_what_passes(indexes, seed, share):
    rng = np.random.default_rng(seed)
    allowed = rng.random(PASSAGES) < share
    query = clustered(rng, 6)
    hits = search_tokens(
        indexes, [0, 1_000], query, TokenOptions(limit=10), allowed=[allowed[:1_000], allowed[1_000:]]
    )
    wanted = brute_force(indexes, query, allowed, 10)
    assert hits.scores == pytest.approx([score for _, score in wanted], abs=1e-5)
    assert {int(number) for number in hits.numbers} <= set(np.flatnonzero(allowed).tolist())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
def test_the_lists_find_it_too(indexes, share):
    """The same where the filter leaves too much to compare it all: probed lists, bitmap inside the scan."""
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(20):
        allowed = rng.random(PASSAGES) < share
        query = clustered(rng, 6)
        hits = search_tokens(
            indexes,
            [0, 1_000],
            query,
            TokenOptions(limit=10, k_tokens=2_000, refine=300, exact_up_to=0),
            allowed=[allowed[:1_000], allowed[1_000:]],
        )
        wanted = brute_force(indexes, query, allowed, 10)
        found += len({number for number, _ in wanted} & set(hits.numbers.tolist()))
    assert found >= 0.9 * 20 * 10


def test_several_queries_at_once_are_each_alone(indexes):
    rng = np.random.default_rng(3)
    queries = [clustered(rng, 4), np.zeros((0, DIM), np.float32), clustered(rng, 9)]
    options = TokenOptions(limit=20, exact_up_to=0)
    batch = search_tokens_batch(indexes, [0, 1_000], queries, options, allowed=[None, None])
    for query, hits in zip(queries, batch, strict=True):
        alone = search_tokens(indexes, [0, 1_000], query, options, allowed=[None, None])
        assert hits.numbers.tolist() == alone.numbers.tolist()
        assert hits.scores == pytest.approx(alone.scores, abs=1e-6)


def test_guesses_from_cluster_sizes_change_what_is_imputed(indexes):
    query = clustered(np.random.default_rng(4), 6)
    guess = indexes[0].bounds(query, 200)
    assert (guess < indexes[0].bounds(query, 20)).all()  # more tokens reach farther
    assert indexes[1].bounds(query, 200) is None
    lowest, clusters = (
        search_tokens(
            indexes,
            [0, 1_000],
            query,
            TokenOptions(limit=PASSAGES, k_tokens=200, refine=0, exact_up_to=0, imputation=name),
            allowed=[None, None],
        )
        for name in ("lowest", "clusters")
    )
    assert sorted(lowest.numbers) == sorted(clusters.numbers)
    assert clusters.scores.min() >= guess.mean() - 1e-6
    assert clusters.scores.tolist() != lowest.scores.tolist()
