"""The classifier's network part, on tiny random BERT checkpoints made here."""

from __future__ import annotations

import doctest
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForTokenClassification, BertModel

import models.networks.token_classifier as token_classifier
from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.text_network import TextNetwork
from models.networks.token_classifier import (
    ADAPTER_FORMAT,
    WEIGHTS_FILE,
    AdapterConfig,
    TokenClassifier,
    adapted_copy,
    save_adapter,
    windows,
)
from tests.support.tiny.word_encoder import CONFIG, CPU, save_encoder, save_word_pieces

ADAPTER = AdapterConfig(ADAPTER_FORMAT, "tiny", hidden_size=16, rank=2, alpha=4.0, window=32)
LONG = "the red fish, a blue tree. green houses " * 20


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> TextNetwork:
    directory = save_encoder(tmp_path_factory.mktemp("encoder"))
    return TextNetwork.load(directory, name="tiny", fingerprint="tiny@1", device=CPU, dtype=torch.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(1)
    BertForTokenClassification(CONFIG).save_pretrained(directory)
    save_word_pieces(directory)
    return directory


@pytest.fixture(scope="module")
def deltas(network) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(2)
    found = {}
    for name, module in network.network.named_modules():
        if isinstance(module, torch.nn.Linear):
            found[f"{name}.lora_A"] = torch.randn(2, module.in_features, generator=random) / 4
            found[f"{name}.lora_B"] = torch.randn(module.out_features, 2, generator=random) / 4
    return found


@pytest.fixture
def adapter(tmp_path, deltas) -> Path:
    torch.manual_seed(3)
    save_adapter(tmp_path / "adapter", ADAPTER, deltas, torch.nn.Linear(16, 2))
    return tmp_path / "adapter"


def test_examples_in_docstrings():
    assert doctest.testmod(token_classifier).failed == 0


@given(st.integers(0, 300), st.integers(2, 60), st.data())
def test_windows_cover_all_tokens_and_overlap(count, size, data):
    overlap = data.draw(st.integers(0, size // 2))
    found = windows(count, size, overlap)
    assert {place for start, end in found for place in range(start, end)} == set(range(count))
    assert all(end - start == min(size, count) for start, end in found)
    assert all(first[1] - second[0] >= overlap for first, second in itertools.pairwise(found))
    assert len(found) <= -(-count // max(size - overlap, 1)) + 1


def test_a_checkpoint_gives_its_own_probabilities(network, checkpoint):
    text = "The red fish, a blue tree."
    found = TokenClassifier.load(network, checkpoint).keep_probabilities([text])[0]
    model = BertForTokenClassification.from_pretrained(checkpoint).eval()
    ids = torch.tensor([[2, *network.tokenizer.encode(text), 3]])
    with torch.no_grad():
        expected = model(ids).logits.softmax(-1)[0, 1:-1, 1]
    assert np.allclose(found.probabilities, expected, atol=1e-6)
    assert [text[start:end] for start, end in found.offsets] == [
        "The",
        "red",
        "fish",
        ",",
        "a",
        "blue",
        "tree",
        ".",
    ]


def test_an_adapter_gives_what_peft_gives(network, adapter, deltas):
    peft = get_peft_model(
        BertModel.from_pretrained(network.network.name_or_path, add_pooling_layer=False),
        LoraConfig(r=2, lora_alpha=4, target_modules=["query", "key", "value", "dense"]),
    ).eval()
    stored = load_file(adapter / WEIGHTS_FILE)
    with torch.no_grad():
        for name, module in peft.base_model.model.named_modules():
            if hasattr(module, "lora_A"):
                module.lora_A["default"].weight.copy_(stored[f"{name}.lora_A"].float())
                module.lora_B["default"].weight.copy_(stored[f"{name}.lora_B"].float())
        text = "the red fish, a blue tree."
        ids = torch.tensor([[2, *network.tokenizer.encode(text), 3]])
        states = peft(input_ids=ids).last_hidden_state[0, 1:-1]
        logits = states @ stored["head.weight"].float().T + stored["head.bias"].float()
    found = TokenClassifier.load(network, adapter).keep_probabilities([text])[0]
    assert np.allclose(found.probabilities, logits.softmax(-1)[:, 1], atol=1e-5)
    assert len(deltas) == 2 * 12


def test_an_adapter_leaves_the_encoder_alone_and_shares_what_it_does_not_change(network, deltas):
    before = network.hidden_states(["the red fish"])[0].vectors
    copy = adapted_copy(network.network, deltas, 2.0)
    assert np.array_equal(network.hidden_states(["the red fish"])[0].vectors, before)
    theirs, ours = dict(network.network.named_parameters()), dict(copy.named_parameters())
    for name, weight in ours.items():
        changed = f"{name.removesuffix('.weight')}.lora_A" in deltas
        assert (weight.data_ptr() == theirs[name].data_ptr()) is not changed
    assert not copy.training


def test_the_scale_matters(network, deltas):
    ids = torch.tensor([[2, 5, 6, 3]])
    states = [
        adapted_copy(network.network, deltas, scale)(ids).last_hidden_state for scale in (0.0, 1.0, 2.0)
    ]
    assert torch.equal(states[0], network.network(ids).last_hidden_state)
    assert not torch.allclose(states[1], states[2])


def test_long_texts_are_read_in_windows_whose_overlap_is_averaged(network, checkpoint):
    classifier = TokenClassifier.load(network, checkpoint)
    found = classifier.keep_probabilities([LONG])[0]
    ids = network.tokenizer.encode(LONG)
    assert len(found.probabilities) == len(ids) > 100
    model = BertForTokenClassification.from_pretrained(checkpoint).eval()
    sums, seen = np.zeros(len(ids)), np.zeros(len(ids))
    for start, end in windows(len(ids), 32, 16):
        with torch.no_grad():
            logits = model(torch.tensor([[2, *ids[start:end], 3]])).logits
        sums[start:end] += logits.softmax(-1)[0, 1:-1, 1].numpy()
        seen[start:end] += 1
    assert np.allclose(found.probabilities, sums / seen, atol=1e-5)


def test_batching_does_not_change_a_text(network, checkpoint):
    classifier = TokenClassifier.load(network, checkpoint)
    texts = ["the red fish", "", LONG, "東京 👍", " ", "a\r\ntree."]
    together = classifier.keep_probabilities(texts, batch_tokens=64)
    for text, found in zip(texts, together, strict=True):
        alone = classifier.keep_probabilities([text])[0]
        assert np.allclose(found.probabilities, alone.probabilities, atol=1e-5)
        assert found.offsets.shape == (len(found.probabilities), 2)
    assert classifier.keep_probabilities([]) == []


def test_fingerprints_tell_weights_apart(network, checkpoint, adapter):
    first = TokenClassifier.load(network, adapter).fingerprint
    assert first == TokenClassifier.load(network, adapter).fingerprint
    weights = load_file(adapter / WEIGHTS_FILE)
    save_file({**weights, "head.bias": weights["head.bias"] + 1}, adapter / WEIGHTS_FILE)
    assert (
        len(
            {
                first,
                TokenClassifier.load(network, adapter).fingerprint,
                TokenClassifier.load(network, checkpoint).fingerprint,
            }
        )
        == 3
    )


def rewrite(directory: Path, **change: object) -> None:
    file = directory / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))


def test_weights_of_another_encoder_are_refused(network, adapter):
    rewrite(adapter, base="other")
    with pytest.raises(UnsupportedModel, match="other"):
        TokenClassifier.load(network, adapter)


@pytest.mark.parametrize("change", [{"format": "excerpta-keep-adapter/9"}, {"surprise": 1}])
def test_an_unknown_adapter_format_is_refused(network, adapter, change):
    rewrite(adapter, **change)
    with pytest.raises(ModelCorrupt):
        TokenClassifier.load(network, adapter)


@pytest.mark.parametrize("damage", ["truncate", "empty", "head", "shape", "module", "json"])
def test_damaged_weights_are_refused(network, adapter, damage):
    file = adapter / WEIGHTS_FILE
    weights = load_file(file)
    if damage == "truncate":
        file.write_bytes(file.read_bytes()[:-10])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "head":
        save_file({name: weight for name, weight in weights.items() if name != "head.bias"}, file)
    elif damage == "shape":
        name = next(name for name in weights if name.endswith("lora_A"))
        save_file({**weights, name: torch.zeros(2, 3)}, file)
    elif damage == "module":
        save_file({**weights, "nowhere.lora_A": torch.zeros(2, 3), "nowhere.lora_B": torch.zeros(3, 2)}, file)
    else:
        (adapter / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        TokenClassifier.load(network, adapter)


def test_missing_weights_say_where_they_were_looked_for(network, adapter):
    (adapter / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelNotFound, match="adapter"):
        TokenClassifier.load(network, adapter)
    with pytest.raises(ModelNotFound, match="nowhere"):
        TokenClassifier.load(network, adapter / "nowhere")


def test_a_checkpoint_with_other_labels_is_refused(network, tmp_path):
    config = BertConfig(**{**CONFIG.to_dict(), "num_labels": 3})
    BertForTokenClassification(config).save_pretrained(tmp_path)
    save_word_pieces(tmp_path)
    with pytest.raises(UnsupportedModel, match="3 labels"):
        TokenClassifier.load(network, tmp_path)
