"""What ends an answer, and what it may not begin with."""

from __future__ import annotations

import torch

from context.writing.transcript import Transcript, Writing

WORDS = ["<end>", "Question", ":", " Rome", "\n", "."]


def transcript(**options) -> Transcript:
    writing = Writing(max_tokens=9, echo=frozenset({1}), **options)
    return Transcript(lambda ids: "".join(WORDS[one] for one in ids), {0}, writing)


def test_it_does_not_begin_with_a_line_of_the_prompt():
    logits = torch.tensor([0.0, 5, 1, 3, 2, 1])
    for options in ({}, {"temperature": 1.0, "seed": 3}):
        assert transcript(**options).choose(logits) != 1
    assert logits[1] == 5


def test_it_ends_where_a_line_of_the_prompt_would_begin():
    written = transcript()
    assert [written.add(token) for token in (3, 5, 4, 1)] == [" Rome", ".", "\n", None]
    assert (written.finish_reason, written.ids) == ("stop", [3, 5, 4])


def test_the_same_word_within_a_line_is_a_word():
    written = transcript()
    written.add(3)
    assert written.choose(torch.tensor([0.0, 5, 1, 3, 2, 1])) == 1
    assert written.add(1) == "Question"
    assert written.finish_reason is None
