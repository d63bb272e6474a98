"""The token encoder over the real small network."""

import numpy as np
import pytest

from models.errors import InputTooLong
from retrieval.tokens import TokenEncoder, maxsim

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def encoder(small_models):
    return TokenEncoder(small_models.encoder)


def test_vectors_are_unit_and_lie_on_their_words(encoder):
    text = "Tides follow the moon."
    (encoded,) = encoder.encode_passages([text])
    assert np.linalg.norm(encoded.vectors, axis=1) == pytest.approx(np.ones(len(encoded.ids)), abs=1e-3)
    assert [text[start:end] for start, end in encoded.offsets] == ["Tides", "follow", "the", "moon", "."]
    assert encoded.vectors.shape[1] == encoder.dim


def test_the_passage_that_answers_is_nearest(encoder):
    passages = encoder.encode_passages(
        ["Tides are caused by the gravity of the moon.", "Bread is baked in an oven.", ""]
    )
    (query,) = encoder.encode_queries(["What makes the sea rise and fall?"])
    scores = [maxsim(query.vectors, passage.vectors) for passage in passages]
    assert np.argmax(scores) == 0
    assert scores[2] == 0.0


def test_a_question_is_never_cut(encoder):
    with pytest.raises(InputTooLong):
        encoder.encode_queries(["word " * 2000])
