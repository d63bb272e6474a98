"""One segment's token index: exact where it says so, filtered inside the scan, refusing what is not its own."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import CorruptSegment, IndexMismatch, InvalidVectors
from retrieval.tokens import InvalidTokenOption, TokenIndex, TokenOptions, maxsim_reference, search_tokens
from retrieval.tokens.vectors import quantise
from tests.support.speeds import examples

DIM = 32


def unit(rng, count, dim=DIM):
    vectors = rng.standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clustered(count, tokens=20, dim=DIM):
    rng = np.random.default_rng(3)
    centres = unit(rng, 60, dim)
    near = [centres[rng.integers(0, 60, tokens)] + 0.1 * unit(rng, tokens, dim) for _ in range(count)]
    return [(one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in near]


def build(directory, passages, **options):
    directory.mkdir(parents=True, exist_ok=True)
    TokenIndex.build(directory, passages, **options)
    return TokenIndex.open(directory)


@pytest.fixture
def passages():
    rng = np.random.default_rng(0)
    return [unit(rng, int(count)) for count in rng.integers(0, 12, 40)]


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """An index of the upper tier, small enough for tests."""
    return build(tmp_path_factory.mktemp("ivf"), clustered(300), flat_up_to=1000)


def test_a_search_finds_the_nearest_tokens(tmp_path, passages):
    index = build(tmp_path, passages)
    query = unit(np.random.default_rng(1), 3)
    similarities, owners = index.search(query, 10, None)
    everything = np.concatenate(passages)
    wanted = -np.sort(-(query @ everything.T), axis=1)[:, :10]
    assert -np.sort(-similarities, axis=1) == pytest.approx(wanted, abs=5e-3)
    assert owners.min() >= 0
    assert (index.passages, index.tokens, index.dim, index.tier) == (40, len(everything), DIM, "flat")


@settings(max_examples=examples(20))
@given(st.integers(1, 400), st.sets(st.integers(0, 39)))
def test_only_allowed_passages_are_found_and_all_of_them(tmp_path_factory, k, kept):
    rng = np.random.default_rng(0)
    passages = [unit(rng, int(count)) for count in rng.integers(0, 12, 40)]
    index = build(tmp_path_factory.mktemp("filtered"), passages)
    allowed = np.zeros(40, bool)
    allowed[list(kept)] = True
    similarities, owners = index.search(unit(np.random.default_rng(1), 2), k, allowed)
    assert similarities.shape == owners.shape == (2, k)
    passing = sum(len(passages[number]) for number in kept)
    assert ((owners >= 0).sum(axis=1) == min(k, passing)).all()
    assert {int(owner) for owner in owners.flat} <= kept | {-1}
    assert (np.isneginf(similarities) == (owners == -1)).all()


def test_lists_find_what_the_scan_finds(tmp_path, listed):
    passages = clustered(300)
    flat = build(tmp_path / "flat", passages)
    assert (flat.tier, listed.tier) == ("flat", "fast")
    options = TokenOptions(limit=10, k_tokens=500, refine=100, exact_up_to=0)
    for seed in range(5):
        query = passages[seed * 7][:6]
        exact, found = (
            search_tokens([index], [0], query, options, allowed=[None]) for index in (flat, listed)
        )
        assert found.numbers[0] == exact.numbers[0] == seed * 7
        assert len(set(exact.numbers) & set(found.numbers)) >= 9


def test_lists_are_filtered_inside_the_scan(listed):
    query = clustered(300)[4][:5]
    allowed = np.zeros(300, bool)
    allowed[[3, 4, 170]] = True
    similarities, owners = listed.search(query, 100, allowed)
    # Enough lists are probed for the filter: all tokens that it leaves are found.
    assert ((owners >= 0).sum(axis=1) == 60).all()
    assert set(np.unique(owners)) == {-1, 3, 4, 170}
    assert (np.diff(similarities[:, :60]) <= 0).all()
    everything, _ = listed.search(query, 10**5, None)
    assert (np.isfinite(everything).sum(axis=1) == 6000).all()


@pytest.mark.parametrize("flat_up_to", [0, 10_000])
def test_the_same_input_gives_the_same_files(tmp_path, flat_up_to):
    for name in ("a", "b"):
        build(tmp_path / name, clustered(60), flat_up_to=flat_up_to, seed=5)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_it_is_told_how_many_tokens_are_in_the_lists(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.tokens.storage.ivf._ADD_ROWS", 500)
    seen = []
    build(tmp_path, clustered(60), flat_up_to=0, indexed=lambda *step: seen.append(step))
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]


@pytest.mark.parametrize("dim", [1, 7, 34])
def test_any_dimension_and_equal_vectors_can_be_listed(tmp_path, dim):
    passages = [np.full((10, dim), dim**-0.5, np.float32) for _ in range(50)]
    index = build(tmp_path, passages, flat_up_to=0)
    assert index.tier == "fast"
    _, owners = index.search(passages[0][:1], 500, None)
    assert set(owners[0]) == set(range(50))


def test_a_passage_without_tokens_is_never_found(tmp_path, passages):
    empty = [number for number, one in enumerate(passages) if not len(one)]
    index = build(tmp_path, passages)
    _, owners = index.search(unit(np.random.default_rng(1), 1), 1000, None)
    assert empty
    assert not set(empty) & set(owners[0].tolist())
    assert index.vectors(empty[0]).shape == (0, DIM)


@settings(max_examples=examples(30))
@given(st.integers(0, 999), st.integers(1, 60))
def test_exact_scores_equal_their_reference(tmp_path_factory, seed, count):
    rng = np.random.default_rng(seed)
    # Long passages, so that several blocks are needed.
    passages = [unit(rng, int(length)) for length in rng.integers(1, 400, count)]
    index = build(tmp_path_factory.mktemp("maxsim"), passages)
    query = unit(rng, 3)
    wanted = rng.permutation(count)[: rng.integers(1, count + 1)]
    scores = index.maxsim(query, wanted)
    exact = [maxsim_reference(query, index.vectors(int(number))) for number in wanted]
    assert scores.tolist() == pytest.approx(exact, abs=1e-5)


@given(st.integers(0, 999), st.floats(1e-3, 1e3))
def test_stored_vectors_are_within_half_a_step(seed, size):
    vectors = unit(np.random.default_rng(seed), 5) * np.float32(size)
    codes, scales = quantise(vectors)
    assert (np.abs(codes * scales[:, None] - vectors) <= scales[:, None] * 0.5001).all()


@pytest.mark.parametrize("bad", [np.full((1, DIM), np.nan), np.zeros((1, DIM)), np.full((1, DIM), np.inf)])
def test_bad_vectors_are_refused(tmp_path, passages, bad):
    with pytest.raises(InvalidVectors, match="passage 40"):
        TokenIndex.build(tmp_path, [*passages, bad.astype(np.float32)])
    assert not list(tmp_path.iterdir())


def test_several_dimensions_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidVectors, match="dimensions"):
        TokenIndex.build(tmp_path, [unit(rng, 1), unit(rng, 1)[:, :4]])


def test_k_must_be_positive(listed):
    with pytest.raises(InvalidTokenOption):
        listed.search(np.ones((1, DIM), np.float32), 0, None)


def test_another_format_is_refused(tmp_path, passages):
    build(tmp_path, passages)
    header = tmp_path / "tokens.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"format": 99}))
    with pytest.raises(IndexMismatch):
        TokenIndex.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokens.json", None),
        ("tokens.json", b"{"),
        ("tokens.json", b"[1]"),
        ("tokens.json", b'{"format": 2}'),
        ("tokens.json", b'{"format":2,"dim":-1,"tokens":1,"passages":1,"tier":"flat","lists":0}'),
        ("tokens.json", b'{"format":2,"dim":32,"tokens":1,"passages":1,"tier":"hnsw","lists":0}'),
        ("codes.npy", None),
        ("codes.npy", b""),
        ("scales.npy", b"not an array"),
        ("starts.npy", None),
        ("tokens.faiss", None),
        ("tokens.faiss", b"IxFI"),
    ],
)
def test_damage_is_named(tmp_path, name, content):
    build(tmp_path, clustered(20), flat_up_to=0)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptSegment, match=name):
        TokenIndex.open(tmp_path)


def test_parts_of_another_index_are_refused(tmp_path, passages):
    build(tmp_path / "a", clustered(20), flat_up_to=0)
    build(tmp_path / "b", clustered(30), flat_up_to=0)
    for name in ("starts.npy", "codes.npy", "tokens.faiss"):
        mine = (tmp_path / "a" / name).read_bytes()
        (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
        with pytest.raises(CorruptSegment, match=name):
            TokenIndex.open(tmp_path / "a")
        (tmp_path / "a" / name).write_bytes(mine)
    TokenIndex.open(tmp_path / "a")
