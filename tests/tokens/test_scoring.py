"""XTR and MaxSim, held to their slow twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.tokens import maxsim, maxsim_reference, refine, xtr_reference, xtr_scores
from retrieval.types import Hits

tables = st.tuples(st.integers(1, 6), st.integers(1, 8)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.floats(-1, 1, width=16)),
        arrays(np.int64, shape, elements=st.integers(-1, 5)),
    )
)


@given(tables)
def test_xtr_equals_its_reference(table):
    similarities, passages = table
    hits = xtr_scores(similarities, passages)
    wanted = xtr_reference(similarities, passages)
    assert dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        wanted, abs=1e-5
    )
    pairs = list(zip((-hits.scores).tolist(), hits.numbers.tolist(), strict=True))
    assert pairs == sorted(pairs)


@given(st.integers(0, 2**32 - 1))
def test_with_everything_retrieved_xtr_is_maxsim(seed):
    rng = np.random.default_rng(seed)
    query = rng.standard_normal((3, 8)).astype(np.float32)
    passages = [rng.standard_normal((rng.integers(1, 5), 8)).astype(np.float32) for _ in range(4)]
    owners = np.repeat(np.arange(4), [len(one) for one in passages])
    similarities = query @ np.concatenate(passages).T
    hits = xtr_scores(similarities, np.tile(owners, (3, 1)))
    for number, score in zip(hits.numbers, hits.scores, strict=True):
        assert score == pytest.approx(maxsim_reference(query, passages[number]), abs=1e-5)
        assert maxsim(query, passages[number]) == pytest.approx(
            maxsim_reference(query, passages[number]), abs=1e-5
        )


def test_a_missing_similarity_is_the_lowest_retrieved():
    hits = xtr_scores(np.array([[0.9, 0.4], [0.8, 0.2]], np.float32), np.array([[1, 2], [1, 1]]))
    assert dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        {1: 0.85, 2: 0.3}
    )


def test_nothing_retrieved_is_nothing_found():
    assert len(xtr_scores(np.zeros((2, 3), np.float32), np.full((2, 3), -1))) == 0
    assert len(xtr_scores(np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int64))) == 0


def test_refined_passages_come_first_in_their_new_order():
    query = np.eye(2, dtype=np.float32)
    vectors = {7: np.array([[0.1, 0.0]], np.float32), 3: query, 5: query}
    hits = Hits(np.array([7, 3, 5]), np.array([0.9, 0.8, 0.7], np.float32))
    refined = refine(query, hits, 2, vectors.__getitem__)
    assert refined.numbers.tolist() == [3, 7, 5]
    assert refined.scores.tolist() == pytest.approx([1.0, 0.05, 0.7])
