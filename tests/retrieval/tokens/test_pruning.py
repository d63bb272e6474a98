"""Near-equal query tokens are searched once, and count as often as they are there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.tokens.pruning import merge_near


def unit(rng, count, dim=16):
    vectors = rng.standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(0, 99), st.integers(1, 12), st.sampled_from([0.3, 0.6, 0.9]))
def test_groups_keep_the_sum_of_all_similarities(seed, count, near):
    rng = np.random.default_rng(seed)
    query = unit(rng, count)
    vectors, weights = merge_near(query, near)
    token = unit(rng, 1)[0]
    assert weights @ (vectors @ token) == pytest.approx((query @ token).sum(), abs=1e-4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_copies_become_one_and_others_stay():
    rng = np.random.default_rng(0)
    words = unit(rng, 5, 64)
    vectors, weights = merge_near(np.concatenate([words, words, words[:2]]))
    assert vectors == pytest.approx(words, abs=1e-6)
    assert weights.tolist() == pytest.approx([3, 3, 2, 2, 2])
    kept, ones = merge_near(words)
    assert kept == pytest.approx(words, abs=1e-6)
    assert ones.tolist() == pytest.approx([1] * 5)


def test_above_one_nothing_is_merged():
    query = np.ones((3, 1), np.float32)
    vectors, weights = merge_near(query, 2.0)
    assert vectors.shape == (3, 1)
    assert weights.tolist() == [1, 1, 1]


def test_edges():
    assert merge_near(np.zeros((0, 4), np.float32))[0].shape == (0, 4)
    assert merge_near(np.ones((1, 1), np.float32))[1].tolist() == [1]
