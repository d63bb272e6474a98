"""The nearest tokens of several segments, against all products sorted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.storage.flat import Nearest
from retrieval.tokens.storage.stored import StoredVectors
from tests.support.speeds import examples


def segment(rng, passages, dim, longest):
    starts = np.cumsum([0, *rng.integers(0, longest + 1, passages)])
    codes = rng.integers(-127, 128, (int(starts[-1]), dim)).astype(np.int8)
    return StoredVectors(codes, rng.uniform(0.5, 1.5, int(starts[-1])).astype(np.float32) / 127, starts)


@settings(max_examples=examples(30), deadline=None)
@given(
    seed=st.integers(0, 999),
    k=st.integers(1, 60),
    rows=st.integers(1, 9),
    dim=st.sampled_from([1, 7, 16, 33]),
    floored=st.booleans(),
    filtered=st.booleans(),
)
def test_they_are_the_best_of_all_products(seed, k, rows, dim, floored, filtered):
    rng = np.random.default_rng(seed)
    segments = [segment(rng, int(count), dim, 9) for count in rng.integers(0, 12, 4)]
    queries = rng.standard_normal((rows, dim)).astype(np.float32)
    bases = np.cumsum([0, *(len(one.lengths) for one in segments)])
    allowed = [rng.random(len(one.lengths)) < 0.6 if filtered else None for one in segments]

    kept = [
        np.ones(len(one.owners), bool) if bits is None else bits[one.owners]
        for one, bits in zip(segments, allowed, strict=True)
    ]
    products = np.concatenate(
        [
            queries @ (one.codes * one.scales[:, None])[mask].T
            for one, mask in zip(segments, kept, strict=True)
        ],
        axis=1,
    )
    owners = np.concatenate(
        [base + one.owners[mask] for base, one, mask in zip(bases[:-1], segments, kept, strict=True)]
    )
    floors = np.full(rows, 0.25, np.float32) if floored else None

    nearest = Nearest(queries, k, floors)
    for one, base, bits in zip(segments, bases[:-1].tolist(), allowed, strict=True):
        nearest.add(one, base, bits)
    similarities, passages = nearest.found()

    for row in range(rows):
        order = np.argsort(-products[row], kind="stable")[:k]
        if floored:
            order = order[products[row][order] >= 0.25]
        there = passages[row] != NOTHING
        assert np.isneginf(similarities[row][~there]).all()
        np.testing.assert_allclose(
            np.sort(similarities[row][there]), np.sort(products[row][order]), atol=1e-5
        )
        # Each of them is a product of a token of that passage.
        for value, passage in zip(similarities[row][there], passages[row][there], strict=True):
            assert np.abs(products[row][owners == passage] - value).min() < 1e-5


def test_equal_tokens_do_not_crowd_out_better_ones():
    dim, equal = 4, 500
    codes = np.full((equal + 2, dim), 10, np.int8)
    codes[-2:] = 20
    stored = StoredVectors(codes, np.full(equal + 2, 0.1, np.float32), np.arange(equal + 3))
    nearest = Nearest(np.ones((1, dim), np.float32), 3)
    nearest.add(stored, 100, None)
    similarities, passages = nearest.found()
    assert sorted(similarities[0].tolist()) == pytest.approx([4.0, 8.0, 8.0])
    assert {100 + equal, 100 + equal + 1} < set(passages[0].tolist())


def test_a_score_is_the_same_alone_and_among_others():
    rng = np.random.default_rng(1)
    stored = segment(rng, 40, 24, 11)
    filled = np.flatnonzero(stored.lengths > 0)
    query = rng.standard_normal((5, 24)).astype(np.float32)
    together = stored.maxsim(query, filled)
    assert together.tolist() == [stored.maxsim(query, filled[at : at + 1])[0] for at in range(len(filled))]
    slow = [(query @ stored.vectors(int(one)).T).max(axis=1).mean() for one in filled]
    np.testing.assert_allclose(together, slow, atol=1e-5)
