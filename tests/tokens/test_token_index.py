"""The token index: exact where it says so, filtered inside the scan, one answer however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import IndexMismatch, InvalidVectors
from retrieval.tokens import TokenIndex, match_tokens, maxsim, search_tokens

DIM = 32


def unit(rng, count):
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(tmp_path, passages, **options):
    tmp_path.mkdir(parents=True, exist_ok=True)
    TokenIndex.build(tmp_path, passages, **options)
    return TokenIndex.open(tmp_path)


@pytest.fixture
def passages():
    rng = np.random.default_rng(0)
    return [unit(rng, int(count)) for count in rng.integers(0, 12, 40)]


def search(indexes, bases, query, allowed=None, **options):
    defaults = {"limit": 100, "k_tokens": 50, "refine": 0}
    return search_tokens(
        indexes, bases, query, allowed=allowed or [None] * len(indexes), **(defaults | options)
    )


def test_a_search_finds_the_nearest_tokens(tmp_path, passages):
    index = build(tmp_path, passages)
    query = unit(np.random.default_rng(1), 3)
    similarities, owners = index.search(query, 10, None)
    everything = np.concatenate(passages)
    wanted = -np.sort(-(query @ everything.T), axis=1)[:, :10]
    assert similarities == pytest.approx(wanted, abs=2e-3)
    assert owners.min() >= 0
    assert (index.passages, index.tokens, index.dim) == (40, len(everything), DIM)


def test_only_allowed_passages_are_found(tmp_path, passages):
    index = build(tmp_path, passages)
    allowed = np.zeros(40, bool)
    allowed[[3, 17, 20]] = True
    _, owners = index.search(unit(np.random.default_rng(1), 2), 1000, allowed)
    assert set(np.unique(owners)) <= {-1, 3, 17, 20}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 39), max_size=3, unique=True), st.integers(0, 2), st.integers(0, 20))
def test_cutting_into_segments_changes_nothing(tmp_path_factory, cuts, filtered, refine):
    rng = np.random.default_rng(7)
    passages = [unit(rng, int(count)) for count in rng.integers(0, 12, 40)]
    allowed = None if not filtered else rng.random(40) < (0.5 if filtered == 1 else 0.01)
    query = unit(rng, 4)
    bases = [0, *sorted(cuts)]
    ends = [*sorted(cuts), 40]
    root = tmp_path_factory.mktemp("cut")
    whole = search([build(root / "w", passages)], [0], query, [allowed], refine=refine)
    parts = [build(root / str(b), passages[b:e]) for b, e in zip(bases, ends, strict=True)]
    bits = None if allowed is None else [allowed[b:e] for b, e in zip(bases, ends, strict=True)]
    pieces = search(parts, bases, query, bits, refine=refine)
    assert dict(zip(whole.numbers.tolist(), whole.scores.tolist(), strict=True)) == pytest.approx(
        dict(zip(pieces.numbers.tolist(), pieces.scores.tolist(), strict=True)), abs=1e-5
    )


def test_refining_everything_is_exact_maxsim(tmp_path, passages):
    index = build(tmp_path, passages)
    query = unit(np.random.default_rng(2), 4)
    hits = search([index], [0], query, refine=100, k_tokens=10_000)
    exact = {number: maxsim(query, one) for number, one in enumerate(passages) if len(one)}
    assert dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        exact, abs=5e-3
    )


def test_a_narrow_filter_is_scored_exactly(tmp_path):
    rng = np.random.default_rng(5)
    passages = [unit(rng, 3) for _ in range(300)]
    index = build(tmp_path, passages)
    query = unit(rng, 2)
    allowed = np.zeros(300, bool)
    allowed[[11, 250]] = True
    hits = search([index], [0], query, [allowed], k_tokens=1)
    assert set(hits.numbers.tolist()) == {11, 250}
    for number, score in zip(hits.numbers, hits.scores, strict=True):
        assert score == pytest.approx(maxsim(query, passages[number]), abs=5e-3)


def test_the_inverted_file_finds_what_the_scan_finds(tmp_path):
    rng = np.random.default_rng(3)
    centres = unit(rng, 60)
    passages = [
        (lambda v: v / np.linalg.norm(v, axis=1, keepdims=True))(
            centres[rng.integers(0, 60, 20)] + 0.05 * rng.standard_normal((20, DIM)).astype(np.float32)
        ).astype(np.float32)
        for _ in range(300)
    ]
    flat = build(tmp_path / "flat", passages)
    ivf = build(tmp_path / "ivf", passages, flat_up_to=1000)
    again = build(tmp_path / "again", passages, flat_up_to=1000)
    assert (flat.tier, ivf.tier) == ("flat", "ivf")
    query = passages[17][:6]
    exact = search([flat], [0], query, k_tokens=200, refine=50)
    approximate = search([ivf], [0], query, k_tokens=200, refine=50)
    assert approximate.numbers[0] == exact.numbers[0] == 17
    assert len(set(exact.numbers[:10]) & set(approximate.numbers[:10])) >= 9
    assert (
        search([again], [0], query, k_tokens=200).numbers.tolist()
        == search([ivf], [0], query, k_tokens=200).numbers.tolist()
    )


def test_stored_vectors_lose_little(tmp_path, passages):
    index = build(tmp_path, passages)
    for number, one in enumerate(passages):
        assert index.vectors(number) == pytest.approx(one, abs=4e-3)


def test_edges(tmp_path):
    query = unit(np.random.default_rng(0), 2)
    nothing = build(tmp_path / "none", [])
    assert len(search([nothing], [0], np.zeros((2, 0), np.float32))) == 0
    assert len(search([], [], query)) == 0
    one = build(tmp_path / "one", [query[:1]])
    assert search([one], [0], query, k_tokens=9999).numbers.tolist() == [0]
    assert len(search([one], [0], np.zeros((0, DIM), np.float32))) == 0
    with pytest.raises(InvalidVectors, match="dimensions"):
        one.search(query[:, :5], 1, None)


@pytest.mark.parametrize("bad", [np.full((1, DIM), np.nan), np.zeros((1, DIM)), np.full((1, DIM), np.inf)])
def test_bad_vectors_are_refused(tmp_path, bad):
    with pytest.raises(InvalidVectors):
        TokenIndex.build(tmp_path, [bad.astype(np.float32)])


def test_several_dimensions_and_other_formats_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidVectors):
        TokenIndex.build(tmp_path, [unit(rng, 1), unit(rng, 1)[:, :4]])
    build(tmp_path / "ok", [unit(rng, 2)])
    header = tmp_path / "ok" / "tokens.json"
    header.write_text(header.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(IndexMismatch):
        TokenIndex.open(tmp_path / "ok")


def test_matches_name_each_query_tokens_best():
    query = np.eye(3, dtype=np.float32)
    assert match_tokens(query, query[[2, 0]]) == [(0, 1, 1.0), (1, 0, 0.0), (2, 0, 1.0)]
    assert match_tokens(query, np.zeros((0, 3), np.float32)) == []
