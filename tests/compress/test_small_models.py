"""The committed adapter on the packaged encoder, counted by the packaged language model's tokenizer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import models
from compress import CATALOGUE, counter, shorten


def compress(models, method, query, texts, target_tokens):
    options = CATALOGUE.resolve({"method": method})
    scorer = CATALOGUE[method].make(models)
    return shorten(scorer, query, texts, options, counter(models), target_tokens=target_tokens)


WEIGHTS = Path(models.__file__).parent / "weights" / "compress-minilm"
NEWS = (
    "Five people have been taken to hospital with minor injuries following a crash on the A17 near Sleaford "
    "this morning, police said in a statement on Tuesday."
)
DOCUMENT = (
    "The harbour was opened in 1887 by the county council, which had bought the land from two farmers.\r\n"
    "Its lighthouse, designed by Ada Quist, is 31.5 metres high and was lit by gas until 1924. "
    "Many visitors come in summer; most of them arrive by train and stay for a day or two."
)


def test_the_committed_weights_are_small_and_have_their_card():
    assert (WEIGHTS / "model.safetensors").stat().st_size < 4_000_000
    card = (WEIGHTS / "CARD.md").read_text("utf-8")
    assert all(word in card for word in ("python -m training keep", "licence", "F1", "seed"))


@pytest.mark.model
def test_the_classifier_keeps_the_news_and_drops_who_said_so(small_models):
    target = len(small_models.lm.encode(NEWS)) // 2
    kept = compress(small_models, "token-classifier", "", [NEWS], target)[0].text
    assert kept.startswith("Five people have been taken to hospital")
    assert "statement" not in kept
    assert "Tuesday" not in kept


@pytest.mark.model
@pytest.mark.parametrize("maker", ["token-classifier", "lexical", "auto"])
def test_budgets_are_exact_in_the_language_models_tokens(small_models, maker):
    texts = [NEWS, DOCUMENT, "", "東京は2020年。👩‍👩‍👧‍👦"]
    total = sum(len(small_models.lm.encode(text)) for text in texts)
    for target in (0, 1, 20, total // 3, total // 2, total - 1, total):
        found = compress(small_models, maker, "Who designed the lighthouse?", texts, target)
        after = [len(small_models.lm.encode(item.text)) for item in found]
        assert after == [item.tokens_after for item in found]
        assert sum(after) <= target
        for text, item in zip(texts, found, strict=True):
            assert item.text == "".join(text[start:end] for start, end in item.kept)
    assert [item.text for item in found] == texts


@pytest.mark.model
def test_the_lexical_compressor_keeps_the_answer(small_models):
    target = sum(len(small_models.lm.encode(text)) for text in (NEWS, DOCUMENT)) // 3
    found = compress(small_models, "auto", "Who designed the lighthouse?", [NEWS, DOCUMENT], target)
    assert "Ada Quist" in found[1].text
    assert re.search(r"31\.5", found[1].text)


@pytest.mark.model
def test_long_texts_and_batches_give_the_same_probabilities(small_models):
    classifier = small_models.token_classifier
    long = f"{DOCUMENT} {NEWS} " * 6
    together = classifier.keep_probabilities([NEWS, long])
    alone = classifier.keep_probabilities([NEWS])[0]
    assert np.allclose(together[0].probabilities, alone.probabilities, atol=0.05)  # bfloat16
    assert len(together[1].probabilities) > 254
