"""Token retrieval over segments: one answer however passages are cut, refined and filtered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import InvalidVectors
from retrieval.tokens import (
    InvalidTokenOption,
    TokenIndex,
    TokenOptions,
    match_tokens,
    maxsim_reference,
    search_tokens,
    xtr_reference,
)
from tests.support.speeds import examples

DIM = 16


def unit(rng, count):
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(directory, passages, **options):
    directory.mkdir(parents=True, exist_ok=True)
    TokenIndex.build(directory, passages, **options)
    return TokenIndex.open(directory)


@pytest.fixture(scope="module")
def passages():
    rng = np.random.default_rng(0)
    made = [unit(rng, int(count)) for count in rng.integers(0, 12, 60)]
    made[30] = made[10].copy()  # equal passages tie everywhere
    return made


@pytest.fixture(scope="module")
def index(passages, tmp_path_factory):
    return build(tmp_path_factory.mktemp("tokens"), passages)


def search(indexes, bases, query, allowed=None, **options):
    settled = TokenOptions(
        **({"limit": 100, "k_tokens": 50, "refine": 0, "near": 2.0, "exact_up_to": 0} | options)
    )
    return search_tokens(indexes, bases, query, settled, allowed=allowed or [None] * len(indexes))


def as_dict(hits):
    return dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))


def assert_sorted(hits):
    pairs = list(zip((-hits.scores).tolist(), hits.numbers.tolist(), strict=True))
    assert pairs == sorted(pairs)


@settings(max_examples=examples(25))
@given(st.integers(0, 99), st.integers(1, 60))
def test_scores_are_xtrs_over_the_tokens_of_the_whole_collection(index, passages, seed, k):
    query = unit(np.random.default_rng(seed), 4)
    stored = np.concatenate([index.vectors(number) for number in range(60)])
    owners = np.repeat(np.arange(60), [len(one) for one in passages])
    similarities = query @ stored.T
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    wanted = xtr_reference(np.take_along_axis(similarities, nearest, 1), owners[nearest])
    hits = search([index], [0], query, k_tokens=k)
    assert_sorted(hits)
    # Of the equal passages, either may own the last token retrieved; the scores are the same.
    assert set(wanted) ^ set(as_dict(hits)) <= {10, 30}
    assert as_dict(hits) == pytest.approx(
        {n: wanted.get(n, wanted.get(40 - n)) for n in as_dict(hits)}, abs=1e-5
    )


@settings(max_examples=examples(25))
@given(
    st.lists(st.integers(0, 60), max_size=3).map(sorted),
    st.sampled_from([None, 0.0, 0.1, 0.5]),
    st.sampled_from([0, 20]),
    st.integers(1, 500),
)
def test_cutting_into_segments_changes_nothing(tmp_path_factory, index, passages, cuts, share, refine, k):
    rng = np.random.default_rng(7)
    allowed = None if share is None else rng.random(60) < share
    query = unit(rng, 4)
    bases, ends = [0, *cuts], [*cuts, 60]
    root = tmp_path_factory.mktemp("cut")
    parts = [
        build(root / str(at), passages[lo:hi]) for at, (lo, hi) in enumerate(zip(bases, ends, strict=True))
    ]
    bits = None if allowed is None else [allowed[lo:hi] for lo, hi in zip(bases, ends, strict=True)]
    whole = search([index], [0], query, [allowed], refine=refine, k_tokens=k)
    pieces = search(parts, bases, query, bits, refine=refine, k_tokens=k)
    # Of the equal passages, either may own the last token retrieved; the scores are the same.
    assert set(as_dict(whole)) ^ set(as_dict(pieces)) <= {10, 30}
    common = set(as_dict(whole)) & set(as_dict(pieces))
    if not refine or len(common) == len(whole) == len(pieces):
        assert {n: as_dict(pieces)[n] for n in common} == pytest.approx(
            {n: as_dict(whole)[n] for n in common}, abs=1e-5
        )
    assert_sorted(pieces)
    if allowed is not None:
        assert allowed[pieces.numbers].all()


@pytest.mark.parametrize("options", [{"k_tokens": 10_000}, {"k_tokens": 300, "refine": 100}])
def test_with_every_token_or_all_refined_scores_are_exact(index, passages, options):
    query = unit(np.random.default_rng(2), 4)
    exact = {number: maxsim_reference(query, one) for number, one in enumerate(passages) if len(one)}
    hits = search([index], [0], query, **options)
    assert as_dict(hits) == pytest.approx({n: exact[n] for n in hits.numbers}, abs=5e-3)
    assert len(hits) == len(exact)
    assert_sorted(hits)


def test_the_refined_stand_first_by_exact_score_and_the_list_stays_sorted(index, passages):
    query = unit(np.random.default_rng(3), 4)
    plain = search([index], [0], query, k_tokens=10)
    hits = search([index], [0], query, k_tokens=10, refine=5)
    assert set(hits.numbers[:5]) == set(plain.numbers[:5])
    for number, score in zip(hits.numbers[:5], hits.scores, strict=False):
        assert score == pytest.approx(maxsim_reference(query, passages[number]), abs=5e-3)
    assert hits.numbers[5:].tolist() == plain.numbers[5:].tolist()
    assert np.diff(hits.scores[5:]) == pytest.approx(np.diff(plain.scores[5:]), abs=1e-6)
    assert hits.scores[5] < hits.scores[4]
    assert_sorted(hits)
    few = search([index], [0], query, k_tokens=10, refine=5, limit=3)
    assert few.numbers.tolist() == hits.numbers[:3].tolist()


def test_equal_passages_come_in_the_order_of_their_numbers(index, passages):
    for refine in (0, 60):
        found = search([index], [0], passages[10], refine=refine).numbers.tolist()
        assert found[:2] == [10, 30]


def test_a_narrow_filter_is_scored_exactly(tmp_path):
    rng = np.random.default_rng(5)
    passages = [unit(rng, 3) for _ in range(300)]
    index = build(tmp_path, passages)
    query = unit(rng, 2)
    allowed = np.zeros(300, bool)
    allowed[[11, 250]] = True
    hits = search([index], [0], query, [allowed], k_tokens=1)
    assert as_dict(hits) == pytest.approx(
        {number: maxsim_reference(query, passages[number]) for number in (11, 250)}, abs=5e-3
    )
    assert len(search([index], [0], query, [np.zeros(300, bool)])) == 0


def test_edges(tmp_path):
    query = unit(np.random.default_rng(0), 2)
    nothing = build(tmp_path / "none", [])
    hollow = build(tmp_path / "hollow", [np.zeros((0, DIM), np.float32)] * 2)
    assert len(search([], [], query)) == 0
    assert len(search([nothing, hollow], [0, 0], query)) == 0
    one = build(tmp_path / "one", [query[:1]])
    assert search([nothing, hollow, one], [0, 0, 2], query, k_tokens=9999).numbers.tolist() == [2]
    assert len(search([one], [0], np.zeros((0, DIM), np.float32))) == 0


@pytest.mark.parametrize("option", [{"limit": 0}, {"k_tokens": 0}, {"refine": -1}])
def test_options_out_of_range_are_refused(index, option):
    with pytest.raises(InvalidTokenOption, match=next(iter(option))):
        search([index], [0], np.ones((1, DIM), np.float32), **option)


@pytest.mark.parametrize(
    "query", [np.ones((2, 5)), np.ones(DIM), np.zeros((1, DIM)), np.full((1, DIM), np.nan)]
)
def test_bad_queries_are_refused(index, query):
    with pytest.raises(InvalidVectors):
        search([index], [0], query.astype(np.float32))


def test_matches_name_each_query_tokens_best():
    query = np.eye(3, dtype=np.float32)
    assert match_tokens(query, query[[2, 0]]) == [(0, 1, 1.0), (1, 0, 0.0), (2, 0, 1.0)]
    assert match_tokens(query, np.zeros((0, 3), np.float32)) == []


@given(passages=st.integers(0, 10**8))
def test_depths_grow_with_the_collection_and_stay_bounded(passages):
    options = TokenOptions(limit=10)
    depths, larger = options.for_passages(passages), options.for_passages(2 * passages)
    assert 1_000 <= depths.k_tokens <= larger.k_tokens <= 8_000
    assert 100 <= depths.refine <= larger.refine <= 1_000
    alone = TokenOptions(limit=10, refine=0).for_passages(passages)
    assert (alone.k_tokens, alone.refine) == (2 * depths.k_tokens, 0)


def test_depths_that_nobody_asked_for_are_those_of_the_size(monkeypatch, index, passages):
    monkeypatch.setattr("retrieval.tokens.search._FEWEST_TOKENS", 7)
    monkeypatch.setattr("retrieval.tokens.search._FEWEST_REFINED", 2)
    monkeypatch.setattr("retrieval.tokens.search._USUAL_PASSAGES", index.passages / 16)

    def found(**options):
        return as_dict(search([index], [0], passages[2], **options))

    assert found(k_tokens=None, refine=None) == found(k_tokens=14, refine=8) != found(k_tokens=7, refine=2)
    assert found(k_tokens=None, refine=0) == found(k_tokens=28, refine=0) != found(k_tokens=14, refine=0)
