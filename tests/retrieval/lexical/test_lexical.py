"""BM25: Lucene's formula, whatever the segments."""

import json
import math

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text.terms import terms_of
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.lexical import Bm25, Terms
from retrieval.lexical.bm25 import K1, B
from tests.support.speeds import examples

TEXTS = [
    "The moon pulls the sea: tides.",
    "Bread, bread and more bread.",
    "",
    "The moon is made of rock.",
    "東京の月",
    "A sea of bread",
]


def build(path, texts):
    path.mkdir(parents=True, exist_ok=True)
    Terms.build(path, texts)
    return Terms.open(path)


def reference(texts, query):
    analysed = [terms_of(text) for text in texts]
    mean = sum(map(len, analysed)) / len(analysed)
    scores = []
    for document in analysed:
        score = 0.0
        for term in terms_of(query):
            df = sum(term in other for other in analysed)
            tf = document.count(term)
            idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + K1 * (1 - B + B * len(document) / mean)) if df else 0.0
        scores.append(score)
    return scores


@pytest.mark.parametrize("query", ["moon", "bread sea", "bread bread", "月", "nothing known", ""])
def test_scores_are_lucenes(tmp_path, query):
    hits = Bm25([build(tmp_path, TEXTS)]).search(query, limit=10, allowed=None)
    wanted = {at: score for at, score in enumerate(reference(TEXTS, query)) if score > 0}
    assert dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        wanted, rel=1e-5
    )
    assert hits.scores.tolist() == sorted(hits.scores.tolist(), reverse=True)


@pytest.mark.parametrize("word", ["moon", "bread", "the", "unknown", "", "東京", "moon bread"])
def test_the_frequency_of_a_word_is_how_many_passages_a_search_for_it_finds(tmp_path, word):
    index = Bm25([build(tmp_path / "a", TEXTS[:3]), build(tmp_path / "b", TEXTS[3:])])
    some = np.array([True, False, True, True, False, False])
    for allowed in (None, some, np.zeros(6, bool)):
        found = len(index.search(word, limit=10, allowed=allowed))
        assert index.frequency(word, allowed=allowed) == found


@settings(max_examples=examples(20))
@given(
    st.lists(st.text("ab c月", max_size=12), min_size=1, max_size=8),
    st.integers(0, 8),
    st.text("abc月 ", max_size=6),
)
def test_segments_change_nothing(tmp_path_factory, texts, cut, query):
    root = tmp_path_factory.mktemp("t")
    whole = Bm25([build(root / "w", texts)]).search(query, limit=99, allowed=None)
    parts = Bm25([build(root / "a", texts[:cut]), build(root / "b", texts[cut:])])
    pieces = parts.search(query, limit=99, allowed=None)
    assert whole.numbers.tolist() == pieces.numbers.tolist()
    assert whole.scores.tolist() == pieces.scores.tolist()


def test_only_allowed_passages_are_found(tmp_path):
    index = Bm25([build(tmp_path, TEXTS)])
    allowed = np.array([False, True, True, True, True, False])
    assert index.search("moon bread", limit=10, allowed=allowed).numbers.tolist() == [1, 3]
    assert index.search("moon bread", limit=1, allowed=None).numbers.tolist() == [1]


@settings(max_examples=examples(30))
@given(st.lists(st.text("ab c月", max_size=12), min_size=1, max_size=8), st.text("abc月 ", max_size=6))
def test_single_scores_are_the_searchs_and_stay_under_the_ceiling(tmp_path_factory, texts, query):
    index = Bm25([build(tmp_path_factory.mktemp("terms"), texts)])
    hits = index.search(query, limit=len(texts) or 1, allowed=None)
    found = dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))
    scores = index.scores(query, np.arange(len(texts)))
    assert scores.tolist() == [found.get(number, 0.0) for number in range(len(texts))]
    assert max(found.values(), default=0.0) <= index.ceiling(query)
    assert (index.ceiling(query) > 0) == bool(terms_of(query))


def test_an_empty_collection_finds_nothing(tmp_path):
    assert len(Bm25([]).search("x", limit=5, allowed=None)) == 0
    assert len(Bm25([build(tmp_path, [])]).search("x", limit=5, allowed=None)) == 0
    assert len(Bm25([build(tmp_path, ["", "the"])]).search("the", limit=5, allowed=None)) == 0


@pytest.mark.parametrize(("key", "value"), [("format", 99), ("analysis", "german")])
def test_another_format_or_analysis_is_refused(tmp_path, key, value):
    build(tmp_path, ["x"])
    path = tmp_path / "terms.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(IndexMismatch):
        Terms.open(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"{}"])
@pytest.mark.parametrize("name", ["terms.json", "terms.npy", "counts.npy", "starts.npy", "lengths.npy"])
def test_damage_is_named(tmp_path, name, content):
    build(tmp_path, TEXTS)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptSegment):
        Terms.open(tmp_path)


@pytest.mark.parametrize("name", ["terms.npy", "counts.npy", "starts.npy", "lengths.npy", "terms.json"])
def test_parts_of_another_segment_are_refused(tmp_path, name):
    build(tmp_path / "a", TEXTS)
    build(tmp_path / "b", ["moon"])
    (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
    with pytest.raises(CorruptSegment):
        Terms.open(tmp_path / "a")


@settings(max_examples=examples(30))
@given(st.lists(st.text("ab cd", max_size=20), min_size=1, max_size=9), st.text("abcd ", max_size=9))
def test_scores_are_those_bm25s_computes_itself(tmp_path_factory, texts, query):
    analysed = [terms_of(text) for text in texts]
    hits = Bm25([build(tmp_path_factory.mktemp("t"), texts)]).search(query, limit=99, allowed=None)
    scores = np.zeros(len(texts))
    known = [term for term in terms_of(query) if any(term in words for words in analysed)]
    if known:
        peer = bm25s.BM25(method="lucene", k1=K1, b=B)
        peer.index(analysed, show_progress=False)
        scores = peer.get_scores(known)
    wanted = {int(at): float(scores[at]) for at in np.flatnonzero(scores)}
    assert dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        wanted, rel=1e-5
    )


def test_one_character_finds_the_words_it_is_in(tmp_path):
    hits = Bm25([build(tmp_path, TEXTS)]).search("月", limit=10, allowed=None)
    assert hits.numbers.tolist() == [4]
