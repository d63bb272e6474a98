"""From labelled sentences to weights and a card: learnt on a rule that a tiny network can learn."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.networks.text_network import TextNetwork
from models.networks.token_classifier import TokenClassifier
from tests.support.tiny.word_encoder import CPU, save_encoder
from training.__main__ import main
from training.data.keep_labels import Sentence, group, join, read_sentences, token_labels
from training.errors import InvalidTrainingData
from training.loop import Loop
from training.measures.keep_scores import auc, f1, keep_scores
from training.recipes.keep.evaluate import evaluate
from training.recipes.keep.recipe import KeepRecipe
from training.recipes.keep.train import train

NOUNS = {"fish", "tree", "house"}
VOCABULARY = ["red", "green", "blue", "fish", "tree", "house", "the", "a", ".", ","]
QUICK = [
    "--epochs",
    "12",
    "--rank",
    "8",
    "--learning-rate",
    "0.005",
    "--batch-tokens",
    "256",
    "--window",
    "32",
]


def noun_sentences(count: int, seed: int) -> list[Sentence]:
    rng = random.Random(seed)
    sentences = [rng.choices(VOCABULARY, k=rng.randint(3, 9)) for _ in range(count)]
    return [Sentence(words, [int(word in NOUNS) for word in words]) for words in sentences]


def write(file: Path, sentences: list[Sentence]) -> None:
    file.write_text("".join(json.dumps({"tokens": s.tokens, "keep": s.keep}) + "\n" for s in sentences))


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.mark.long
def test_training_from_the_command_line(encoder_dir, tmp_path):
    write(tmp_path / "google-train.jsonl", noun_sentences(400, 0))
    write(tmp_path / "google-test.jsonl", noun_sentences(50, 1))
    (tmp_path / "tiny.toml").write_text(
        f'[encoder]\nname = "tiny"\npath = "{encoder_dir}"\n[lm]\nname = "none"\npath = "nowhere"\n'
    )
    out = tmp_path / "weights"
    command = [
        "--data",
        tmp_path,
        "--out",
        out,
        "--profile",
        tmp_path / "tiny.toml",
        "--models",
        tmp_path / "m",
    ]
    assert main(["keep", *map(str, command), *QUICK]) == 0

    network = TextNetwork.load(encoder_dir, name="tiny", fingerprint="t", device=CPU, dtype=torch.float32)
    scores = evaluate(TokenClassifier.load(network, out), noun_sentences(50, 1))
    assert scores.f1 > 0.7  # keeping everything has 0.5
    assert scores.auc > 0.85
    card = (out / "CARD.md").read_text()
    assert "$" not in card
    assert f"{scores.f1:.3f}" in card
    assert (
        "python -m training keep --data DATA/sentcomp --out models/weights/compress-minilm --rank 8" in card
    )
    assert "| keep | " in card  # the curve
    assert not out.with_name("weights.checkpoint").exists()
    assert str(tmp_path) not in card


def test_the_seed_decides_everything(encoder_dir):
    network = TextNetwork.load(encoder_dir, name="tiny", fingerprint="t", device=CPU, dtype=torch.float32)
    before = {name: weight.clone() for name, weight in network.network.named_parameters()}
    recipe = KeepRecipe(epochs=1, rank=2, batch_tokens=256, window=32)
    sentences = noun_sentences(60, 2)

    def head(recipe):
        return train(network, sentences, recipe, Loop()).head.weight.detach()

    assert torch.equal(head(recipe), head(recipe))
    assert not torch.equal(head(recipe), head(replace(recipe, seed=1)))
    assert all(torch.equal(weight, before[name]) for name, weight in network.network.named_parameters())


@given(st.lists(st.integers(1, 6), max_size=30), st.integers(1, 5), st.integers(0, 9))
def test_grouping_uses_every_sentence_once(lengths, largest, seed):
    sentences = [Sentence([f"w{at}"] * length, [at % 2] * length) for at, length in enumerate(lengths)]
    texts = group(sentences, largest, random.Random(seed))
    found = [word for text in texts for word in text.text.split()]
    assert sorted(found) == sorted(word for sentence in sentences for word in sentence.tokens)
    assert len(texts) >= len(sentences) / largest
    for text in texts:
        words = [text.text[start:end] for start, end in text.spans]
        assert words == text.text.split()
        assert text.keep.tolist() == [int(word[1:]) % 2 for word in words]


def test_each_token_has_the_label_of_its_word():
    text = join([Sentence(["U.S.", "rose"], [1, 0]), Sentence(["5%"], [1])])
    offsets = np.array([(0, 1), (1, 2), (2, 4), (5, 9), (10, 11), (11, 12)], np.int32)
    assert text.text == "U.S. rose 5%"
    assert token_labels(text, offsets).tolist() == [1, 1, 1, 0, 1, 1]


@pytest.mark.parametrize(
    "line", ["{", '{"tokens": ["a"]}', '{"tokens": ["a"], "keep": [1, 0]}', '{"tokens": ["a"], "keep": [2]}']
)
def test_unusable_lines_are_named(tmp_path, line):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"tokens": ["a"], "keep": [1]}\n' + line)
    with pytest.raises(InvalidTrainingData, match="line 2"):
        read_sentences(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidTrainingData, match=r"absent\.jsonl"):
        read_sentences(tmp_path / "absent.jsonl")


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=40))
def test_scores_equal_their_definitions(pairs):
    labels = np.array([label for label, _ in pairs])
    values = np.array([value / 5 for _, value in pairs])
    kept = values > 0.5
    true = sum(k and bool(y) for k, y in zip(kept, labels, strict=True))
    assert f1(labels, kept) == pytest.approx(2 * true / max(kept.sum() + labels.sum(), 1))
    if 0 < labels.sum() < len(labels):
        ones, zeros = values[labels == 1], values[labels == 0]
        wins = [(one > zero) + 0.5 * (one == zero) for one in ones for zero in zeros]
        assert auc(labels, values) == pytest.approx(float(np.mean(wins)))
        assert keep_scores(labels, values).label_rate == pytest.approx(labels.mean())
