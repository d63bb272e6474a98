"""The part of a long question that is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.query.question import fit
from tests.support.speeds import examples


def by_words(texts):
    return [len(text.split()) for text in texts]


def by_characters(texts):
    return [len(text) for text in texts]


def test_a_question_that_fits_is_unchanged():
    fitted = fit("Who pays?\n", 2, by_words)
    assert (fitted.text, fitted.cut) == ("Who pays?\n", False)


def test_questions_and_the_last_sentence_come_first_in_their_order():
    talk = "The hall was cold in the morning. " * 30
    text = f"{talk}Who pays for the hall? {talk}Please answer in one line."
    fitted = fit(text, 12, by_words)
    assert fitted.text == "Who pays for the hall? Please answer in one line."
    assert fitted.cut
    assert str(fitted.tokens) in fitted.warning
    assert "12" in fitted.warning


def test_the_rest_goes_to_sentences_about_what_is_repeated():
    text = (
        "The invoice of the hall came late. It rained on our way home. "
        "The hall sent an invoice twice. We like birds a lot. Who pays the invoice of the hall?"
    )
    fitted = fit(text, 21, by_words)
    assert "invoice" in fitted.text.split(".")[0]
    assert "birds" not in fitted.text
    assert fitted.text.endswith("Who pays the invoice of the hall?")


def test_one_endless_sentence_gives_the_words_that_it_repeats():
    text = "so we went and saw " * 100 + "the invoice and the hall and the invoice of the hall " * 3
    fitted = fit(text, 4, by_words)
    assert {"invoice", "hall"} <= set(fitted.text.split())
    assert len(fitted.text.split()) <= 4
    assert fit("word " * 3000, 500, by_words).text == "word"


@pytest.mark.parametrize("text", ["会議室の費用は誰が払いますか" * 40, "x" * 5000, "?" * 300, "a?b? " * 400])
def test_texts_without_words_are_cut(text):
    fitted = fit(text, 50, by_characters)
    assert 0 < len(fitted.text) <= 50


@given(st.text("ab?. \n", min_size=1, max_size=200), st.integers(1, 40))
@settings(max_examples=examples(150))
def test_the_part_fits_and_is_there(text, limit):
    fitted = fit(text, limit, by_characters)
    assert len(fitted.text) <= limit or not fitted.cut
    assert fitted.cut == (len(text) > limit)
