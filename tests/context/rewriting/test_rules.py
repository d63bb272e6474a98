"""The rule of names and fragments, by example."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context import Turn
from context.rewriting.follow_ups import content, lean, names, pronouns
from context.rewriting.rules import stand_alone
from tests.support.speeds import examples

CAPITAL = [Turn("user", "What is the capital of France?"), Turn("assistant", "Paris [1].")]
AUTHOR = [Turn("user", "Who wrote the first program?"), Turn("assistant", "Ada Lovelace [1].")]


@pytest.mark.parametrize(
    ("before", "question", "alone"),
    [
        (CAPITAL, "And Germany?", "What is the capital of Germany?"),
        (CAPITAL, "What about spain?", "What is the capital of spain?"),
        (CAPITAL, "How many people live there?", "How many people live in France (Paris)?"),
        (CAPITAL, "What is its mayor's name?", "What is France’s (Paris) mayor's name?"),
        (CAPITAL, "Why?", "What is the capital of France, Paris, why?"),
        (CAPITAL, "And in 1990?", "What is the capital of France, in 1990?"),
        (AUTHOR, "When was it written?", "When was it written (wrote, first, program, Ada Lovelace)?"),
        (AUTHOR, "When was she born?", "When was Ada Lovelace born?"),
    ],
)
def test_a_follow_up_gets_what_it_leaves_out(before, question, alone):
    assert stand_alone(before, question, 4) == alone


def test_a_year_takes_the_place_of_a_year():
    turns = [Turn("user", "How many people lived in Oslo in 1950?"), Turn("assistant", "434,000.")]
    assert stand_alone(turns, "And in 1990?", 4) == "How many people lived in Oslo in 1990?"


def test_an_answer_that_names_nothing_is_no_topic():
    for answer in ("At 9:00 [1].", "Yes.", "9:00", "No, it does not."):
        turns = [Turn("user", "When does the office in Oslo open?"), Turn("assistant", answer)]
        assert stand_alone(turns, "When does it close?", 4) == "When does Oslo close?"
    turns = [Turn("user", "Who approves travel above 2000 euros?"), Turn("assistant", "The board.")]
    assert stand_alone(turns, "And below 2000 euros?", 4) == "Who approves travel below 2000 euros?"


def test_a_person_is_the_answer_whoever_asked_for_it():
    turns = [Turn("user", "Which poet wrote the play about a magician?"), Turn("assistant", "Goethe.")]
    assert stand_alone(turns, "When was he born?", 4) == "When was Goethe born?"


def test_a_fragment_with_a_name_in_it_is_no_other_name():
    turns = [Turn("user", "What was Oslo's first school?"), Turn("assistant", "The Cathedral School.")]
    assert "Danish king" in stand_alone(turns, "And Danish king?", 4)
    assert "Oslo" in stand_alone(turns, "And Danish king?", 4)


def test_the_topic_is_kept_over_several_turns():
    turns = [
        *CAPITAL,
        Turn("user", "How many people live there?"),
        Turn("assistant", "Two million."),
        Turn("user", "Since when is it the capital?"),
        Turn("assistant", "987."),
    ]
    assert "France" in stand_alone(turns, "Who is its president?", 4)
    assert "France" not in stand_alone(turns[2:], "Who is its president?", 4)


def test_a_refusal_names_nothing():
    turns = [CAPITAL[0], Turn("assistant", "The documents found do not answer this question.")]
    assert stand_alone(turns, "How many people live there?", 4) == "How many people live in France?"


@pytest.mark.parametrize(
    ("question", "how"),
    [
        ("When was she born?", "pronoun"),
        ("Is it open on Sundays?", "pronoun"),
        ("What happened after that?", "pronoun"),
        ("And the others?", "fragment"),
        ("Why?", "fragment"),
        ("Is it possible to cancel a booking of a room online?", None),
        ("Is there a discount for members of the club?", None),
        ("Which rule applies to travel that costs more?", None),
        ("When did Rome lose its last emperor?", None),
        ("Who approves travel above 2000 euros?", None),
    ],
)
def test_what_leans_on_the_conversation(question, how):
    assert lean(question) == how


def test_names_and_content():
    assert names("Who did Ada Lovelace meet in London in 1833?") == ["Ada Lovelace", "London", "1833"]
    assert names("Who wrote it?") == names("Travel?") == []
    assert content("what is the price of the red bicycle?") == ["price", "red", "bicycle"]
    assert [one.word for one in pronouns("When did he meet her?")] == ["he", "her"]


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=examples(150))
def test_any_texts_give_a_question_of_bounded_length(first, answer, question):
    turns = [Turn("user", first), Turn("assistant", answer)]
    rewritten = stand_alone(turns, question, 4)
    assert len(rewritten) <= len(first) + len(answer) + len(question) + 20
