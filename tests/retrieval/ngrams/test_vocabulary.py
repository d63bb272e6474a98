from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.text.folding import fold
from models.networks.language_model import LanguageModel
from retrieval.ngrams import LanguageVocabulary
from tests.support.ngram_corpora import TEXTS
from tests.support.speeds import examples


def test_words_have_the_same_ids_everywhere(vocabulary: LanguageVocabulary) -> None:
    start, middle, line, spaces = vocabulary.tokenize(
        ["Rollo swore", "x Rollo swore", "x\r\nRollo swore", "x \t\u3000 Rollo\n\nswore"]
    )
    assert middle.ids.tolist()[-len(start.ids) :] == start.ids.tolist()
    assert line.ids.tolist() == middle.ids.tolist() == spaces.ids.tolist()


@pytest.mark.parametrize("text", [*TEXTS, "  \n  Rollo  swore\t fealty \n", "é😀 👨‍👩‍👧 x", "a", "\ud800 b"])
def test_offsets_are_those_of_the_given_text(
    vocabulary: LanguageVocabulary, tiny_lm: LanguageModel, text: str
) -> None:
    (tokens,) = vocabulary.tokenize([text])
    assert tokens.offsets.dtype == np.int32
    for token, (start, end) in zip(tokens.ids.tolist(), tokens.offsets.tolist(), strict=True):
        assert 0 <= start <= end <= len(text)
        written = tiny_lm.decode([token])
        if "\ufffd" not in written and written.strip():
            assert text[start:end] == written.strip()


@pytest.mark.parametrize("text", ["", " ", "\r\n\t\u3000"])
def test_white_space_has_no_tokens(vocabulary: LanguageVocabulary, text: str) -> None:
    (tokens,) = vocabulary.tokenize([text])
    assert tokens.ids.shape == (0,)
    assert tokens.offsets.shape == (0, 2)


@given(st.text(st.characters() | st.sampled_from(" \n\r\t\u00a0\u2028ab"), max_size=30))
@settings(max_examples=examples(150))
def test_any_text(vocabulary: LanguageVocabulary, tiny_lm: LanguageModel, text: str) -> None:
    (tokens,) = vocabulary.tokenize([text])
    words = " ".join(fold(text).split())
    assert tiny_lm.decode(tokens.ids.tolist()).strip() == re.sub("[\ud800-\udfff]", "\ufffd", words)
    assert (tokens.offsets >= 0).all()
    assert (tokens.offsets <= len(text)).all()
    assert (tokens.offsets[:, 0] <= tokens.offsets[:, 1]).all()
    inside = "".join(text[start:end] for start, end in tokens.offsets.tolist())
    assert set(inside.split()) <= set(inside.split()) | set(text)


def test_fingerprint_is_of_the_tokenizer(tiny_lm: LanguageModel, vocabulary: LanguageVocabulary) -> None:
    before = LanguageVocabulary(tiny_lm).fingerprint
    backend = tiny_lm.tokenizer.backend_tokenizer
    backend.enable_truncation(5)
    assert LanguageVocabulary(tiny_lm).fingerprint == before == vocabulary.fingerprint
    backend.no_truncation()
    normalizer = backend.normalizer
    from tokenizers.normalizers import Lowercase

    backend.normalizer = Lowercase()
    try:
        assert LanguageVocabulary(tiny_lm).fingerprint != before
    finally:
        backend.normalizer = normalizer


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("the ＰＰＲ‑９０８７ is", "the PPR-9087 is"),
        ("a co\u00adlour\u200b of\u00a0ﬁre", "a colour of fire"),
        ("\ufeffRollo \u2060swore", "Rollo swore"),
    ],
)
def test_folded_texts_have_the_same_ids_and_their_own_offsets(
    vocabulary: LanguageVocabulary, text: str, plain: str
) -> None:
    found, wanted = vocabulary.tokenize([text, plain])
    assert found.ids.tolist() == wanted.ids.tolist()
    written = [
        fold(text[start:end]) == plain[first:last]
        for (start, end), (first, last) in zip(found.offsets.tolist(), wanted.offsets.tolist(), strict=True)
    ]
    # A ligature of several letters belongs to each token that has one of them.
    assert sum(written) >= len(written) - 2


def test_the_way_of_earlier_versions_is_known_by_its_name(
    tiny_lm: LanguageModel, vocabulary: LanguageVocabulary
) -> None:
    earlier = LanguageVocabulary(tiny_lm, "single-spaced-1")
    assert earlier.fingerprint != vocabulary.fingerprint
    assert vocabulary.named(earlier.fingerprint).fingerprint == earlier.fingerprint
    assert vocabulary.named(vocabulary.fingerprint) is vocabulary
    assert vocabulary.named("another tokenizer's") is vocabulary
    (old,), (new,) = earlier.tokenize(["ＡＢ"]), vocabulary.tokenize(["ＡＢ"])
    assert old.ids.tolist() != new.ids.tolist() == vocabulary.tokenize(["AB"])[0].ids.tolist()
