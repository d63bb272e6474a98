"""Similarity to the question as a part of every word's score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text.sentences import sentences
from base.text.words import words
from compress import CATALOGUE, Loose, TokenSimilarities, shorten
from compress.methods.lexical import LexicalScorer
from compress.reference import similarities_slow
from compress.relevance import Relevance, of_words

PIECES = ["Rail fell. ", "Why? ", "The mayor, ", "x", "\n\n", "東京。", " "]
TEXT = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


def lent(text, seed=0, rows=3):
    spans = words(text).astype(np.int64)
    return TokenSimilarities(np.random.default_rng(seed).random((rows, len(spans)), np.float32), spans)


@given(TEXT)
def test_sentences_are_compared_as_by_the_definition(text):
    found = lent(text)
    relevance = Relevance.of([text], [found])
    assert relevance.starts[0].tolist() == [one.start for one in sentences(text)]
    assert np.allclose(relevance.sentences[0], similarities_slow(text, found))
    assert relevance.texts[0] == pytest.approx(found.values.max(1).mean() if found.values.size else 0.0)


def test_texts_without_tokens_or_sentences_have_none():
    nothing = TokenSimilarities(np.zeros((3, 0), np.float32), np.zeros((0, 2), np.int64))
    relevance = Relevance.of(["", "Rail fell."], [nothing, nothing])
    assert relevance.texts.tolist() == [0, 0]
    assert [values.tolist() for values in relevance.sentences] == [[], [0]]
    assert of_words(words("a b"), np.zeros(0), np.zeros(0)).tolist() == [0, 0]


def test_weights_are_added_below_the_best():
    spans = [words("One two. Three."), words("Four.")]
    relevance = Relevance(
        np.array([0.5, 0.9]), (np.array([0.0, 9.0]), np.array([0.0])), (np.array([0.2, 0.4]), np.array([0.8]))
    )
    scores = relevance.add([np.zeros(5), np.zeros(2)], spans, text_weight=10, sentence_weight=100)
    assert np.allclose(scores[0], [-64, -64, -64, -44, -44])
    assert np.allclose(scores[1], 0)


class Lent(Loose):
    """Texts whose tokens are like the question where they are in capitals."""

    asked = 0

    def similarities(self):
        Lent.asked += 1
        spans = [words(text).astype(np.int64) for text in self.texts]
        return [
            TokenSimilarities(
                np.array([[float(text[a:b].isupper()) for a, b in span]] * 2, np.float32).reshape(2, -1), span
            )
            for text, span in zip(self.texts, spans, strict=True)
        ]


def count(texts):
    return [len(text.split()) for text in texts]


def kept(texts, query="x", **options):
    made = CATALOGUE.resolve({"method": "lexical", "structure": "words", **options})
    return [one.text for one in shorten(LexicalScorer(), query, texts, made, count, target_tokens=4)]


TEXTS = ["Some words of it here. And others of it.", "Few more of them. TOWERS fell in the north."]


def test_the_most_similar_sentence_is_kept_whoever_scores():
    assert kept(Lent(TEXTS)) == ["", "TOWERS fell in the"]
    assert kept(Lent(TEXTS), text_weight=0) == ["", "TOWERS fell in the"]
    assert kept(Lent(TEXTS), sentence_weight=0) == ["", "Few more of them"]
    assert kept(Loose(TEXTS)) == ["Some words", "Few more"]
    assert kept(TEXTS) == kept(Loose(TEXTS))


def test_numbers_of_texts_that_do_not_answer_take_no_room():
    texts = ["1 of 2 and 3 of 4 were 5 or 6.", "Few more of them. TOWERS fell in 1990."]
    assert kept(Lent(texts), digits=True) == ["", "TOWERS fell in 1990"]
    assert kept(texts, digits=True)[0] == "1 2 3 4"


def test_nobody_is_asked_for_what_does_not_count():
    before = Lent.asked
    kept(Lent(TEXTS), text_weight=0, sentence_weight=0)
    kept(Lent(TEXTS), query=" ")
    assert Lent.asked == before


def test_the_coarse_step_drops_the_least_similar_texts_before_they_are_scored():
    class Spy(LexicalScorer):
        def score(self, query, texts, options, *, rate):
            seen.extend(texts)
            return super().score(query, texts, options, rate=rate)

    seen = []
    options = CATALOGUE.resolve({"method": "lexical", "context_rate": 0.5})
    found = shorten(Spy(), "x", Lent(TEXTS), options, count, target_tokens=4)
    assert seen == TEXTS[1:]
    assert [one.text for one in found] == ["", "TOWERS fell in the"]
