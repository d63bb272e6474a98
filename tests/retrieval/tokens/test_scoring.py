"""XTR, held to its slow twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.tokens import maxsim_reference, xtr_reference, xtr_scores

tables = st.tuples(st.integers(1, 6), st.integers(0, 8)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.floats(-1, 1, width=16)),
        arrays(np.int64, shape, elements=st.integers(-1, 5)),
    )
)


def as_dict(hits):
    return dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))


@given(tables)
def test_xtr_equals_its_reference(table):
    similarities, passages = table
    hits = xtr_scores(similarities, passages)
    assert as_dict(hits) == pytest.approx(xtr_reference(similarities, passages), abs=1e-6)
    pairs = list(zip((-hits.scores).tolist(), hits.numbers.tolist(), strict=True))
    assert pairs == sorted(pairs)


@given(tables, st.integers(0, 8))
def test_a_limit_keeps_the_best(table, limit):
    everything, best = xtr_scores(*table), xtr_scores(*table, limit=limit)
    assert best.numbers.tolist() == everything.numbers[:limit].tolist()
    assert best.scores.tolist() == everything.scores[:limit].tolist()


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_what_was_retrieved_does_not_matter(table, random):
    similarities, passages = table
    order = list(range(similarities.shape[1]))
    random.shuffle(order)
    shuffled = xtr_scores(similarities[:, order], passages[:, order])
    assert as_dict(shuffled) == as_dict(xtr_scores(similarities, passages))


@given(st.integers(0, 2**32 - 1))
def test_with_everything_retrieved_xtr_is_maxsim(seed):
    rng = np.random.default_rng(seed)
    query = rng.standard_normal((3, 8)).astype(np.float32)
    passages = [rng.standard_normal((rng.integers(1, 5), 8)).astype(np.float32) for _ in range(4)]
    owners = np.repeat(np.arange(4), [len(one) for one in passages])
    hits = xtr_scores(query @ np.concatenate(passages).T, np.tile(owners, (3, 1)))
    exact = {number: maxsim_reference(query, one) for number, one in enumerate(passages)}
    assert as_dict(hits) == pytest.approx(exact, abs=1e-5)


def test_a_missing_similarity_is_the_lowest_retrieved():
    hits = xtr_scores(np.array([[0.9, 0.4], [0.8, 0.2]], np.float32), np.array([[1, 2], [1, 1]]))
    assert as_dict(hits) == pytest.approx({1: 0.85, 2: 0.3})


def test_a_query_token_that_retrieved_nothing_adds_nothing():
    hits = xtr_scores(np.array([[0.8], [0.5]], np.float32), np.array([[4], [-1]]))
    assert as_dict(hits) == pytest.approx({4: 0.4})


def test_nothing_retrieved_is_nothing_found():
    assert len(xtr_scores(np.zeros((2, 3), np.float32), np.full((2, 3), -1))) == 0
    assert len(xtr_scores(np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int64))) == 0
    assert len(xtr_scores(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.int64))) == 0


@given(tables, st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=6, max_size=6))
def test_a_weight_counts_a_query_token_as_often(table, weights):
    similarities, passages = table
    given = np.array(weights[: len(similarities)])
    twice = np.repeat(np.arange(len(similarities)), (2 * given).astype(int))
    weighted = xtr_scores(similarities, passages, weights=given)
    assert as_dict(weighted) == pytest.approx(
        as_dict(xtr_scores(similarities[twice], passages[twice])), abs=1e-6
    )


def test_a_bound_stands_for_what_was_not_retrieved_and_for_what_is_below_it():
    similarities, passages = np.array([[0.9, 0.4], [0.8, 0.2]], np.float32), np.array([[1, 2], [1, 1]])
    hits = xtr_scores(similarities, passages, bound=np.array([0.1, -0.2]))
    assert as_dict(hits) == pytest.approx({1: 0.85, 2: 0.1})
    hits = xtr_scores(similarities, passages, bound=np.array([0.5, 0.7]))
    assert as_dict(hits) == pytest.approx({1: 0.85, 2: 0.6})
