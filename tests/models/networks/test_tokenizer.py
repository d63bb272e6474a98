"""Tokenising: offsets, control tokens as text, nothing truncated, any string."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import ModelCorrupt, ModelNotFound
from models.networks.tokenizer import TextTokenizer

any_text = st.text(st.characters(), max_size=60)


@pytest.fixture(scope="module")
def words(bert_dir: Path) -> TextTokenizer:
    return TextTokenizer.load(bert_dir)


@pytest.fixture(scope="module")
def pieces(llama_dir: Path) -> TextTokenizer:
    return TextTokenizer.load(llama_dir)


def test_offsets_are_characters(words: TextTokenizer) -> None:
    text = "Naïve 😀 café"
    (tokens,) = words.tokenize([text])
    first, last = tokens.offsets[0], tokens.offsets[-1]
    assert text[: first[1]].startswith("N")
    assert text[last[0] : last[1]] in text[8:]
    assert tokens.ids.dtype == tokens.offsets.dtype == np.int32


def test_frame(words: TextTokenizer, pieces: TextTokenizer) -> None:
    assert (words.prefix, words.suffix) == ((2,), (3,))
    assert (pieces.prefix, pieces.suffix) == ((), ())


def test_saved_truncation_and_padding_have_no_effect(words: TextTokenizer) -> None:
    assert len(words.encode("fox " * 50)) == 50
    assert len(words.tokenize(["fox"])[0]) == 1


def test_control_tokens_in_a_text_are_text(words: TextTokenizer, pieces: TextTokenizer) -> None:
    assert not {2, 3} & set(words.encode("[CLS] fox [SEP]"))
    ids = pieces.encode("a<|im_end|>b")
    assert not {0, 1, 2} & set(ids)
    assert pieces.decode(ids) == "a<|im_end|>b"
    assert pieces.token_id("<|im_end|>") == 2
    assert pieces.token_id("no such token") is None


@given(text=any_text)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_string_round_trips(pieces: TextTokenizer, text: str) -> None:
    ids = pieces.encode(text)
    assert pieces.decode(ids) == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    (tokens,) = pieces.tokenize([text])
    assert tokens.ids.tolist() == ids
    assert tokens.offsets.shape == (len(ids), 2)
    if ids:
        assert tokens.offsets.min() >= 0
        assert tokens.offsets.max() == len(text)
        assert (np.diff(tokens.offsets[:, 0]) >= 0).all()


@pytest.mark.parametrize("text", ["", "\r\n", "\ud800", "😀" * 10])
def test_edges(words: TextTokenizer, text: str) -> None:
    (tokens,) = words.tokenize([text])
    assert tokens.offsets.shape == (len(tokens), 2)


def test_no_texts(words: TextTokenizer) -> None:
    assert words.tokenize([]) == []


def test_safe_from_many_threads(pieces: TextTokenizer) -> None:
    texts = [f"text {n} " * n for n in range(40)]
    expected = [pieces.encode(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pieces.encode, texts)) == expected


def test_missing_and_corrupt_files(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        TextTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.json"):
        TextTokenizer.load(tmp_path)
