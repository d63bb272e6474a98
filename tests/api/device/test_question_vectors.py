"""Vectors of known questions: each caller's own, within a bound, and encoded once."""

import numpy as np
import pytest

from api.device.question_vectors import QuestionVectors, RememberingEncoder
from tests.support.fakes import HashEncoder


class Counting(HashEncoder):
    """Counts the questions of each call."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def encode_queries(self, texts):
        self.calls.append(list(texts))
        return super().encode_queries(texts)


def test_a_question_is_encoded_once_a_salt():
    inner, known = Counting(), QuestionVectors()
    ours, theirs = RememberingEncoder(inner, known, "a"), RememberingEncoder(inner, known, "b")
    first = ours.encode_queries(["otter river"])[0]
    assert ours.encode_queries(["otter river"])[0] is first
    theirs.encode_queries(["otter river"])
    assert inner.calls == [["otter river"], ["otter river"]]


def test_unknown_questions_are_encoded_together_and_stand_in_their_places():
    inner, known = Counting(), QuestionVectors()
    encoder = RememberingEncoder(inner, known, "a")
    encoder.encode_queries(["heron"])
    asked = ["otter", "heron", "moss", "otter"]
    found = encoder.encode_queries(asked)
    assert inner.calls == [["heron"], ["otter", "moss"]]
    for one, question in zip(found, asked, strict=True):
        np.testing.assert_array_equal(one.vectors, HashEncoder().encode_queries([question])[0].vectors)


@pytest.mark.parametrize("most", [2_000, 20_000])
def test_the_bound_holds_and_the_latest_stay(most):
    known = QuestionVectors(most)
    encoder = RememberingEncoder(HashEncoder(), known, "a")
    for at in range(60):
        encoder.encode_queries([f"otter {at}"])
        assert known.bytes <= most
    assert known.get("a", "otter 59") is not None
    assert known.get("a", "otter 1") is None


def test_one_that_is_asked_again_stays():
    known = QuestionVectors(4_000)
    encoder = RememberingEncoder(HashEncoder(), known, "a")
    for at in range(60):
        encoder.encode_queries(["heron"])
        encoder.encode_queries([f"otter {at}"])
    assert known.get("a", "heron") is not None
