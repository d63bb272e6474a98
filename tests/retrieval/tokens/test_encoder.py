"""The token encoder: over a network that reads little, and over the real small one."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import InputTooLong
from models import HiddenStates, TokenizedText
from retrieval.errors import InvalidVectors
from retrieval.tokens import TokenEncoder, maxsim_reference
from retrieval.tokens.windows import windows


class SmallNetwork:
    """Reads `max_tokens` characters that are not spaces; a vector tells the character and the role."""

    name, fingerprint, hidden_size = "small", "small:0", 4

    def __init__(self, max_tokens=8):
        self.max_tokens = max_tokens
        self.read = []

    def tokenize(self, texts):
        found = [[match.span() for match in re.finditer(r"\S", text)] for text in texts]
        return [
            TokenizedText(
                np.array([ord(text[start]) for start, _ in spans], np.int32),
                np.array(spans, np.int32).reshape(-1, 2),
            )
            for text, spans in zip(texts, found, strict=True)
        ]

    def hidden_states(self, texts, *, batch_tokens=8192, role="passage"):
        self.read += [(text, role) for text in texts]
        states = []
        for text in self.tokenize(texts):
            kept = min(len(text), self.max_tokens)
            vectors = np.ones((kept, 4), np.float32)
            vectors[:, 0] = text.ids[:kept]
            vectors[text.ids[:kept] == ord("0")] = 0
            vectors[text.ids[:kept] == ord("?")] = np.nan
            states.append(HiddenStates(vectors, text.ids[:kept], text.offsets[:kept], len(text) - kept))
        return states


@given(st.text("ab \n🌋", max_size=80), st.integers(4, 12))
def test_every_token_of_a_long_passage_gets_one_vector(text, limit):
    network = SmallNetwork(limit)
    (encoded,) = TokenEncoder(network).encode_passages([text])
    (tokens,) = network.tokenize([text])
    assert encoded.offsets.tolist() == tokens.offsets.tolist()
    assert encoded.ids.tolist() == tokens.ids.tolist()
    assert encoded.vectors.shape == (len(tokens), 4)
    assert np.linalg.norm(encoded.vectors, axis=1) == pytest.approx(np.ones(len(tokens)), abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=60), st.integers(4, 16))
def test_windows_fit_overlap_and_share_out_the_tokens(lengths, limit):
    ends = np.cumsum([gap + length for gap, length in lengths])
    offsets = np.array(
        [(end - length, end) for end, (_, length) in zip(ends, lengths, strict=True)], np.int32
    ).reshape(-1, 2)
    found = windows(offsets, limit, limit // 4)
    covered = []
    for window in found:
        inside = [at for at, (lo, hi) in enumerate(offsets) if window.start <= lo and hi <= window.end]
        assert len(inside) <= limit
        covered += [at for at in inside if window.keep_from <= offsets[at, 0] < window.keep_to]
    assert covered == list(range(len(offsets)))


def test_roles_reach_the_network():
    network = SmallNetwork()
    TokenEncoder(network).encode_passages(["ab"])
    TokenEncoder(network).encode_queries(["cd"])
    assert network.read == [("ab", "passage"), ("cd", "query")]


def test_a_question_is_never_cut():
    encoder = TokenEncoder(SmallNetwork(8))
    assert len(encoder.encode_queries(["a b c d e f g h"])[0].ids) == 8
    with pytest.raises(InputTooLong) as raised:
        encoder.encode_queries(["fine", "a b c d e f g h i"])
    assert (raised.value.tokens, raised.value.limit) == (9, 8)


@pytest.mark.parametrize("text", ["a0b", "what?", "a long text with a 0 far behind"])
def test_a_vector_that_is_zero_or_not_finite_is_refused(text):
    with pytest.raises(InvalidVectors):
        TokenEncoder(SmallNetwork()).encode_passages(["fine", text])


def test_the_fingerprint_tells_how_long_texts_are_cut():
    assert TokenEncoder(SmallNetwork(8)).fingerprint != TokenEncoder(SmallNetwork(9)).fingerprint


@pytest.fixture(scope="module")
def encoder(small_models):
    return TokenEncoder(small_models.encoder)


@pytest.mark.model
def test_vectors_are_unit_and_lie_on_their_words(encoder):
    text = "Tides follow the moon."
    (encoded,) = encoder.encode_passages([text])
    assert np.linalg.norm(encoded.vectors, axis=1) == pytest.approx(np.ones(len(encoded.ids)), abs=1e-3)
    assert [text[start:end] for start, end in encoded.offsets] == ["Tides", "follow", "the", "moon", "."]
    assert encoded.vectors.shape[1] == encoder.dim


@pytest.mark.model
def test_the_passage_that_answers_is_nearest(encoder):
    passages = encoder.encode_passages(
        ["Bread is baked in an oven.", "Tides are caused by the gravity of the moon."]
    )
    (query,) = encoder.encode_queries(["What makes the sea rise and fall?"])
    scores = [maxsim_reference(query.vectors, passage.vectors) for passage in passages]
    assert np.argmax(scores) == 1
    assert encoder.encode_passages([""])[0].vectors.shape == (0, encoder.dim)


@pytest.mark.model
def test_a_long_passage_has_the_tokens_and_nearly_the_vectors_of_its_parts(encoder):
    text = " ".join(f"The tide of day {day} was unremarkably high." for day in range(90))
    (encoded,) = encoder.encode_passages([text])
    (tokens,) = encoder.tokenize([text])
    assert len(tokens.ids) > encoder.max_tokens
    assert encoded.ids.tolist() == tokens.ids.tolist()
    assert encoded.offsets.tolist() == tokens.offsets.tolist()
    (start,) = encoder.encode_passages([text[: int(tokens.offsets[300, 0])]])
    assert (encoded.vectors[:200] * start.vectors[:200]).sum(axis=1).min() > 0.8
