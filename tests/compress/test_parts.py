from __future__ import annotations

import doctest
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import compress.percentile
import compress.rebuild
from base.text.words import words
from compress.percentile import percentile_of, percentile_rank
from compress.pooling import first_probabilities, pool, word_probabilities
from compress.rebuild import cut, kept_spans
from compress.reference import (
    first_probabilities_slow,
    percentile_keep_slow,
    pool_slow,
    word_probabilities_slow,
)
from compress.select import texts_that_stay
from compress.structure.protect import Protection, touched

# Multiples of 1/1024: np.percentile interpolates, and must not round up to the next score.
PROBABILITIES = st.integers(0, 1023).map(lambda value: value / 1024)
PIECES = [*"ab1.,;()-/ \n\r\t東é", "👩‍👧", "🇩🇪", "don't", "e\u0301"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def cut_words(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize("module", [compress.rebuild, compress.percentile])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@given(TEXT, st.data())
def test_a_rebuilt_text_is_cut_from_the_source_and_keeps_the_chosen_words(text, data):
    spans = words(text)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans))), dtype=bool)
    kept = kept_spans(text, spans, keep)
    assert all(start < end for start, end in kept)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(kept))
    inside = np.zeros(len(text), bool)
    for start, end in kept:
        inside[start:end] = True
    assert all(inside[start:end].all() for (start, end), word in zip(spans, keep, strict=True) if word)
    if keep.all():
        assert cut(text, kept) == (text if len(spans) else "")


@pytest.mark.parametrize(
    ("text", "dropped", "expected"),
    [
        ("one two three", "two", "one three"),
        ("one\n\ntwo three", "two", "one\n\nthree"),
        ("one two\r\nthree", "two", "one\r\nthree"),
        ("a (b)c", "( )", "a b)c"),
        ("3,x29", ", x29", "3"),
        ("abc中def", "中", "abc中def"),
        ("中abc文", "abc", "中文"),
        ("  one two", "one", "two"),
        ("  one two", "two", "one"),
    ],
)
def test_whitespace_and_borders_between_kept_words(text, dropped, expected):
    spans = words(text)
    keep = np.array([word not in dropped.split() for word in cut_words(text)])
    assert cut(text, kept_spans(text, spans, keep)) == expected


@given(st.lists(st.tuples(PROBABILITIES, st.integers(1, 4)), max_size=40), st.integers(0, 100))
def test_percentile_rank_is_llmlingua2_rule(scored, percent):
    scores = np.array([score for score, _ in scored], dtype=np.float64)
    tokens = np.array([count for _, count in scored], dtype=np.int64)
    if tokens.sum() < 2:
        return
    rate = percent / 100
    expected = percentile_keep_slow(scores, tokens, rate)
    # Compared as whole numbers of tokens, as np.percentile places them: (N - 1) * q / 100.
    place = (int(tokens.sum()) - 1) * (percentile_of(rate) / 100)
    found = np.round(percentile_rank(scores, tokens) * (int(tokens.sum()) - 1)) > place
    assert found.tolist() == expected.tolist()


def test_percentiles_as_published():
    assert [percentile_of(rate) for rate in (0.0, 0.33, 0.5, 1.0)] == [100, 68, 51, 1]


@given(TEXT, st.data())
def test_word_probabilities_are_means_over_overlapping_tokens(text, data):
    spans = words(text)
    borders = (
        sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=12)))
        if len(text) > 1
        else []
    )
    offsets = np.array(list(itertools.pairwise(borders)), np.int32).reshape(-1, 2)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(offsets), max_size=len(offsets))), bool)
    offsets = offsets[chosen]
    values = np.random.default_rng(len(text)).random(len(offsets)).astype(np.float32)
    fast = word_probabilities(spans, offsets, values)
    assert np.allclose(fast, word_probabilities_slow(spans, offsets, values), atol=1e-6)
    first = first_probabilities(spans, offsets, values)
    assert np.allclose(first, first_probabilities_slow(spans, offsets, values), atol=1e-6)


@given(st.lists(st.floats(0, 9), max_size=50), st.integers(0, 20).map(lambda half: 2 * half + 1))
def test_pooling_equals_its_slow_twin(weights, window):
    values = np.array(weights, dtype=np.float64)
    assert np.allclose(pool(values, window), pool_slow(values, window), atol=1e-9)


def test_contexts_are_kept_by_their_percentile():
    assert texts_that_stay(np.array([0.1, 0.4, 0.2, 0.3]), 0.5).tolist() == [False, True, False, True]
    assert texts_that_stay(np.array([0.1, 0.4, 0.2, 0.3]), 1.0).all()
    assert texts_that_stay(np.array([0.2, 0.2]), 0.1).all()
    assert texts_that_stay(np.zeros(0), 0.5).shape == (0,)


def test_what_is_protected():
    text = "In 2020 the ID ab-12 rose. Why?"
    spans = words(text)
    protection = Protection(ends=frozenset(".?"), digits=True, patterns=(re.compile("the ID"),))
    found = protection.of_words(text, spans)
    marked = [
        [word for word, kept in zip(cut_words(text), marks, strict=True) if kept]
        for marks in (found.named, found.ends, found.numbers)
    ]
    assert marked == [["the", "ID"], [".", "?"], ["2020", "ab-12"]]
    nothing = Protection().of_words(text, spans)
    assert not (nothing.named | nothing.ends | nothing.numbers).any()
    assert Protection(digits=True).of_words("", words("")).numbers.shape == (0,)


@given(TEXT, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), max_size=4))
def test_touched_words(text, ranges):
    spans = words(text)
    ranges = [(start, start + length) for start, length in ranges if length]
    expected = [any(start < b and end > a for a, b in ranges) for start, end in spans]
    assert touched(spans, ranges).tolist() == expected
