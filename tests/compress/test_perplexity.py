"""Selective Context: a word's score is how little the language model expected it."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import compress.methods.perplexity
from base.text.words import words
from compress import CATALOGUE
from compress.methods.perplexity import LONGEST, PerplexityScorer, stretches_of
from compress.reference import pool_slow, word_probabilities_slow


def test_examples_in_docstrings():
    assert doctest.testmod(compress.methods.perplexity).failed == 0


@pytest.mark.parametrize("window", [1, 5])
def test_scores_by_the_definition(tiny, window):
    options = CATALOGUE.resolve({"method": "perplexity", "window": window})
    texts = ["the head of finance approves travel", "", "documents are data; the head"]
    found = PerplexityScorer(tiny).score("", texts, options, rate=0.5)
    for text, scored in zip(texts, found, strict=True):
        tokens, spans = tiny.tokenize([text])[0], words(text)
        start = tiny.encode("\n")
        values = [
            -float(tiny.log_likelihoods([[*start, *tokens.ids[:at].tolist()]], [[int(token)]])[0][0])
            for at, token in enumerate(tokens.ids)
        ]
        wanted = pool_slow(word_probabilities_slow(spans, tokens.offsets, np.array(values)), window)
        assert np.allclose(scored.scores, wanted, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 896, 897, 5000])
def test_stretches_cover_every_token_once(count):
    found = stretches_of(count)
    assert [at for start, end in found for at in range(start, end)] == list(range(count))
    assert all(end - start < LONGEST for start, end in found)
