from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.ngrams import InvalidTokens, NgramIndex, reference
from retrieval.ngrams import corpus as union
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.suffix_array import build_suffix_array
from retrieval.types import Tokens
from tests.support.ngram_corpora import ALPHABET, Corpus, build, corpora, plain_tokens
from tests.support.speeds import examples

NGRAMS = [ids for size in (1, 2, 3) for ids in itertools.product(range(ALPHABET), repeat=size)]


@given(st.lists(st.integers(0, 3), max_size=40), st.sampled_from([np.uint16, np.uint32]))
def test_suffix_array_sorts_suffixes(tokens: list[int], width: type) -> None:
    order = build_suffix_array(np.array(tokens, width)).tolist()
    assert order == sorted(range(len(tokens)), key=lambda at: tokens[at:])


@given(corpora())
@settings(max_examples=examples(60))
def test_counts_and_places_equal_brute_force(corpus: Corpus) -> None:
    ngrams = corpus.union()
    assert ngrams.tokens == ngrams.root.count == sum(map(len, corpus.passages))
    for ids in NGRAMS:
        found = ngrams.find(ids)
        everywhere = reference.occurrences(corpus.passages, ids)
        wanted = [(number, at) for number, at in everywhere if number in corpus.live]
        assert found.count == len(everywhere)
        assert ngrams.exists(found) == bool(wanted)
        numbers, positions = ngrams.locate(found)
        assert sorted(zip(numbers.tolist(), positions.tolist(), strict=True)) == wanted


@given(
    corpora(),
    st.lists(st.sampled_from([0.0, -1.0, -2.5, -np.inf]), min_size=ALPHABET, max_size=ALPHABET),
    st.lists(st.booleans(), min_size=ALPHABET, max_size=ALPHABET),
    st.integers(1, ALPHABET),
    st.booleans(),
)
@settings(max_examples=examples(120))
def test_best_children_equal_brute_force(
    corpus: Corpus, scores: list[float], only: list[bool], most: int, wide: bool
) -> None:
    ngrams = corpus.union()
    with pytest.MonkeyPatch.context() as patch:
        if wide:
            # The path for ranges too wide to list, from pools too small to answer at once.
            patch.setattr(union, "_WIDE", 0)
            patch.setattr(union, "_POOL", 1)
            patch.setattr(union, "_GROWTH", 2)
        for ids in [(), *NGRAMS[: ALPHABET + 8]]:
            after = reference.following(corpus.live_passages, ids)
            usable = [token for token in after if only[token] and np.isfinite(scores[token])]
            wanted = sorted(usable, key=lambda token: (-scores[token], token))[:most]
            found = ngrams.best_children(
                ngrams.find(ids), np.array(scores), most, only=np.array(only, np.bool_)
            )
            assert [token for token, _ in found] == wanted
            for token, child in found:
                assert child.depth == len(ids) + 1
                assert child.count == len(reference.occurrences(corpus.passages, (*ids, token)))


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=examples(30))
def test_narrow_equals_listing_on_many_tokens(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = build([plain_tokens(rng.integers(0, size, 200)) for _ in range(5)], size)
    wanted = np.arange(size)
    lo, hi = index.narrow(0, index.tokens, 0, wanted)
    for token in rng.integers(0, size, 3).tolist():
        tokens, begins, ends = index.children(int(lo[token]), int(hi[token]), 1)
        low, high = index.narrow(int(lo[token]), int(hi[token]), 1, wanted)
        followed = np.flatnonzero(high > low)
        assert followed.tolist() == tokens.tolist()
        assert low[followed].tolist() == begins.tolist()
        assert high[followed].tolist() == ends.tolist()


def test_wide_ranges_grow_their_pool_until_enough_is_found() -> None:
    size = 5000
    present = plain_tokens([10, 4999, 10, 4998, 10, 4997])
    ngrams = NgramCorpus([build([present], size)], [0])
    scores = -np.arange(size, dtype=np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(union, "_WIDE", 0)
        found = ngrams.best_children(ngrams.find([10]), scores, 2)
    assert [token for token, _ in found] == [4997, 4998]


@pytest.mark.parametrize(("size", "width"), [(65_535, 2), (65_536, 4), (151_936, 4)])
def test_large_vocabularies(tmp_path: Path, size: int, width: int) -> None:
    NgramIndex.build(tmp_path, [plain_tokens([size - 1, 0, size - 1])], vocabulary_size=size)
    assert np.load(tmp_path / "tokens.npy").dtype.itemsize == width
    index = NgramIndex.open(tmp_path)
    ngrams = NgramCorpus([index], [0])
    assert ngrams.find([size - 1]).count == 2
    assert ngrams.find([0, size - 1]).count == 1
    assert index.passage(0).tolist() == [size - 1, 0, size - 1]


@pytest.mark.parametrize("passages", [[], [[]], [[], []], [[3]], [[], [3], []]])
def test_small_segments(passages: list[list[int]]) -> None:
    index = build([plain_tokens(ids) for ids in passages], ALPHABET)
    assert index.passages == len(passages)
    assert [index.passage(at).tolist() for at in range(len(passages))] == passages
    ngrams = NgramCorpus([index], [0])
    assert ngrams.find([3]).count == sum(map(len, passages))
    assert ngrams.best_children(ngrams.find([3]), np.zeros(ALPHABET), 5) == []


def test_ngrams_do_not_cross_passages() -> None:
    ngrams = NgramCorpus([build([plain_tokens([0, 1]), plain_tokens([2])], ALPHABET)], [0])
    assert ngrams.find([1, 2]).count == 0
    assert ngrams.best_children(ngrams.find([1]), np.zeros(ALPHABET), 5) == []


def test_a_filter_scans_frequent_ngrams_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(union, "_CHUNK", 2)
    index = build([plain_tokens([1, 2])] * 9, ALPHABET)
    last = np.arange(9) == 8
    assert NgramCorpus([index], [0], [last]).exists(NgramCorpus([index], [0], [last]).find([1, 2]))
    assert not NgramCorpus([index], [0], [last & False]).exists(NgramCorpus([index], [0]).find([1, 2]))


def test_spans_skip_tokens_outside_the_text() -> None:
    ids = np.array([0, 1, 2, 3], np.int32)
    offsets = np.array([[-1, -1], [-1, -1], [0, 4], [5, 9]], np.int32)
    index = build([plain_tokens([1]), Tokens(ids, offsets)], ALPHABET)
    assert index.span(1, 0, 2) == (-1, -1)
    assert index.span(1, 1, 2) == (0, 4)
    assert index.span(1, 2, 2) == (0, 9)


@pytest.mark.parametrize(
    "tokens",
    [
        plain_tokens([0, ALPHABET]),
        plain_tokens([-1]),
        Tokens(np.zeros(2, np.int32), np.zeros((1, 2), np.int32)),
        Tokens(np.zeros((1, 2), np.int32), np.zeros((1, 2), np.int32)),
    ],
)
def test_bad_tokens_are_refused_before_anything_is_written(tmp_path: Path, tokens: Tokens) -> None:
    with pytest.raises(InvalidTokens) as caught:
        NgramIndex.build(tmp_path, [plain_tokens([0]), tokens], vocabulary_size=ALPHABET)
    assert caught.value.passage == 1
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_named(tmp_path: Path) -> None:
    NgramIndex.build(tmp_path, [plain_tokens([0, 1, 2])], vocabulary_size=ALPHABET)
    header = tmp_path / "ngrams.json"
    fields = json.loads(header.read_text())
    header.write_text(json.dumps(fields | {"format": 99}))
    with pytest.raises(IndexMismatch):
        NgramIndex.open(tmp_path)
    header.write_text(json.dumps(fields | {"tokens": 2}))
    with pytest.raises(CorruptSegment):
        NgramIndex.open(tmp_path)
    header.write_text("{")
    with pytest.raises(CorruptSegment):
        NgramIndex.open(tmp_path)
    header.write_text(json.dumps(fields))
    NgramIndex.open(tmp_path)
    (tmp_path / "sa.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(CorruptSegment):
        NgramIndex.open(tmp_path)
    (tmp_path / "sa.npy").unlink()
    with pytest.raises(CorruptSegment):
        NgramIndex.open(tmp_path)


def test_union_refuses_mixed_vocabularies_and_uneven_arguments() -> None:
    small, large = build([], ALPHABET), build([], ALPHABET + 1)
    with pytest.raises(IndexMismatch):
        NgramCorpus([small, large], [0, 0])
    with pytest.raises(ValueError, match="one entry a segment"):
        NgramCorpus([small], [0, 1])
