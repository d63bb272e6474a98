"""Encoders against a plain forward call, on tiny checkpoints and on the real one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModel, ModernBertConfig, ModernBertModel, XLMRobertaConfig, XLMRobertaModel

from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.text_network import TextNetwork
from models.profile import load_profile
from models.registry import Models
from tests.support.speeds import examples
from tests.support.tiny.checkpoints import CPU, save_colbert


def alone(network: TextNetwork, text: str) -> np.ndarray:
    """The slow, obviously right way: one text, no padding, no mask, float32."""
    ids = [*network.tokenizer.prefix, *network.tokenizer.encode(text)[: network.max_tokens]]
    ids += network.tokenizer.suffix
    with torch.no_grad():
        states = network.network(input_ids=torch.tensor([ids])).last_hidden_state[0]
    return states[len(network.tokenizer.prefix) : len(states) - len(network.tokenizer.suffix)].float().numpy()


TEXTS = [
    "The quick brown fox",
    "",
    "dog",
    "Wer weiß es? 😀",
    "the lazy dog " * 30,
    "dog",
    "\r\n \t",
    "apples",
]


@pytest.mark.parametrize("batch_tokens", [1, 50, 8192])
def test_a_batch_equals_each_text_alone(bert: TextNetwork, batch_tokens: int) -> None:
    states = bert.hidden_states(TEXTS, batch_tokens=batch_tokens)
    assert len(states) == len(TEXTS)
    for text, state in zip(TEXTS, states, strict=True):
        (tokens,) = bert.tokenize([text])
        kept = min(len(tokens), bert.max_tokens)
        assert state.vectors.shape == (kept, 16)
        assert state.vectors.dtype == np.float32
        assert state.truncated == len(tokens) - kept
        np.testing.assert_array_equal(state.ids, tokens.ids[:kept])
        np.testing.assert_array_equal(state.offsets, tokens.offsets[:kept])
        if kept:
            np.testing.assert_allclose(state.vectors, alone(bert, text), atol=2e-5)


@given(texts=st.lists(st.sampled_from(TEXTS), max_size=8))
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_the_input_is_kept(bert: TextNetwork, texts: list[str]) -> None:
    one_by_one = [bert.hidden_states([text])[0] for text in texts]
    for single, batched in zip(one_by_one, bert.hidden_states(texts), strict=True):
        np.testing.assert_allclose(single.vectors, batched.vectors, atol=2e-5)


def test_limits(bert_dir: Path, bert: TextNetwork) -> None:
    assert bert.max_tokens == 38  # 40 positions, less [CLS] and [SEP]
    short = TextNetwork.load(
        bert_dir, name="b", fingerprint="f", device=CPU, dtype=torch.float32, max_tokens=5
    )
    (state,) = short.hidden_states(["fox " * 9])
    assert (len(state), state.truncated) == (5, 4)
    np.testing.assert_allclose(state.vectors, bert.hidden_states(["fox " * 5])[0].vectors, atol=2e-5)


def test_bfloat16_is_near(bert_dir: Path, bert: TextNetwork) -> None:
    half = TextNetwork.load(bert_dir, name="b", fingerprint="f", device=CPU, dtype=torch.bfloat16)
    exact, rounded = bert.hidden_states(TEXTS[:1])[0].vectors, half.hidden_states(TEXTS[:1])[0].vectors
    assert rounded.dtype == np.float32
    cosine = (exact * rounded).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosine.min() > 0.99


def test_roberta_positions_start_after_the_padding_id(bert_dir: Path, tmp_path: Path) -> None:
    config = XLMRobertaConfig(
        vocab_size=200,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=22,
        pad_token_id=1,
    )
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((bert_dir / "tokenizer.json").read_bytes())
    network = TextNetwork.load(tmp_path, name="x", fingerprint="f", device=CPU, dtype=torch.float32)
    assert network.max_tokens == 22 - 2 - 2
    long, short = network.hidden_states(["fox " * 30, "dog"])
    assert len(long) == network.max_tokens
    np.testing.assert_allclose(short.vectors, alone(network, "dog"), atol=2e-5)


def test_colbert_projection_and_markers(bert_dir: Path, tmp_path: Path, bert: TextNetwork) -> None:
    directory = save_colbert(bert_dir, tmp_path)
    network = TextNetwork.load(
        directory,
        name="c",
        fingerprint="f",
        device=CPU,
        dtype=torch.float32,
        query_marker="[Q] ",
        passage_marker="[D] ",
    )
    assert network.hidden_size == 8
    assert network.max_tokens == bert.max_tokens - 1
    weight = load_file(directory / "1_Dense" / "model.safetensors")["linear.weight"].numpy()
    ids = network.tokenizer.encode("quick fox")
    for role, marker in (("query", 5), ("passage", 6)):
        with torch.no_grad():
            states = bert.network(input_ids=torch.tensor([[2, marker, *ids, 3]])).last_hidden_state[0]
        (state,) = network.hidden_states(["quick fox"], role=role)  # type: ignore[arg-type]
        np.testing.assert_allclose(state.vectors, states.numpy()[2:-1] @ weight.T, atol=1e-4)


def load(directory: Path) -> TextNetwork:
    return TextNetwork.load(directory, name="c", fingerprint="f", device=CPU, dtype=torch.float32)


PYLATE = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12, "skiplist_words": ["fox"]}
STANFORD = {"query_token_id": "[Q] ", "doc_token_id": "[D] ", "query_maxlen": 12, "mask_punctuation": False}


@pytest.mark.parametrize("attends", [False, True])
@pytest.mark.parametrize("layout", ["pylate", "stanford"])
def test_late_interaction_checkpoints_say_how_they_read(
    bert_dir: Path, tmp_path: Path, bert: TextNetwork, layout: str, attends: bool
) -> None:
    directory = save_colbert(bert_dir, tmp_path)
    if layout == "pylate":
        settings = PYLATE | {"attend_to_expansion_tokens": attends}
        (directory / "config_sentence_transformers.json").write_text(json.dumps(settings))
    else:
        (directory / "artifact.metadata").write_text(
            json.dumps(STANFORD | {"attend_to_mask_tokens": attends})
        )
    network = load(directory)
    weight = load_file(directory / "1_Dense" / "model.safetensors")["linear.weight"].numpy()
    words = network.tokenizer.encode("quick fox")
    mask = network.tokenizer.token_id("[MASK]")
    assert mask is not None
    ids = [2, 5, *words, 3]
    filled = [*ids, *[mask] * (12 - len(ids))]
    seen = torch.tensor([[1] * (12 if attends else len(ids)) + [0] * (0 if attends else 12 - len(ids))])
    with torch.no_grad():
        query = bert.network(input_ids=torch.tensor([filled]), attention_mask=seen).last_hidden_state[0]
        passage = bert.network(input_ids=torch.tensor([[2, 6, *words, 3]])).last_hidden_state[0]
    (state,) = network.hidden_states(["quick fox"], role="query")
    np.testing.assert_allclose(state.vectors, query.numpy() @ weight.T, atol=1e-4)
    assert (state.offsets[[0, 1, -1]] == -1).all()
    (state,) = network.hidden_states(["quick fox"], role="passage")
    fox = network.tokenizer.encode("fox")
    kept = [at for at, one in enumerate([2, 6, *words, 3]) if layout == "stanford" or [one] != fox]
    np.testing.assert_allclose(state.vectors, (passage.numpy() @ weight.T)[kept], atol=1e-4)


def test_damaged_settings_are_named(bert_dir: Path, tmp_path: Path) -> None:
    directory = save_colbert(bert_dir, tmp_path)
    (directory / "artifact.metadata").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"artifact\.metadata"):
        load(directory)


def test_projection_inside_the_checkpoint(bert_dir: Path, tmp_path: Path, bert: TextNetwork) -> None:
    for file in bert_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    projection = torch.randn(4, 16)
    weights = load_file(tmp_path / "model.safetensors") | {"linear.weight": projection}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    network = TextNetwork.load(tmp_path, name="c", fingerprint="f", device=CPU, dtype=torch.float32)
    expected = bert.hidden_states(["fox"])[0].vectors @ projection.numpy().T
    np.testing.assert_allclose(network.hidden_states(["fox"])[0].vectors, expected, atol=1e-4)


def test_projections_that_are_not_linear_are_refused(bert_dir: Path, tmp_path: Path) -> None:
    directory = save_colbert(bert_dir, tmp_path, activation="torch.nn.modules.activation.Tanh")
    with pytest.raises(UnsupportedModel, match="Tanh"):
        TextNetwork.load(directory, name="c", fingerprint="f", device=CPU, dtype=torch.float32)


def test_unknown_markers_are_refused(bert_dir: Path) -> None:
    with pytest.raises(UnsupportedModel, match="query marker"):
        TextNetwork.load(
            bert_dir, name="b", fingerprint="f", device=CPU, dtype=torch.float32, query_marker="[X]"
        )


def test_modernbert(bert_dir: Path, tmp_path: Path) -> None:
    config = ModernBertConfig(
        vocab_size=200,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=0,
        local_attention=8,
    )
    ModernBertModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((bert_dir / "tokenizer.json").read_bytes())
    network = TextNetwork.load(tmp_path, name="m", fingerprint="f", device=CPU, dtype=torch.float32)
    for text, state in zip(TEXTS, network.hidden_states(TEXTS), strict=True):
        if len(state):
            np.testing.assert_allclose(state.vectors, alone(network, text), atol=2e-5)


def test_missing_weights_are_refused_not_invented(bert_dir: Path, tmp_path: Path) -> None:
    for file in bert_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelCorrupt, match=r"encoder\.layer\.1\.output\.dense\.weight"):
        TextNetwork.load(tmp_path, name="b", fingerprint="f", device=CPU, dtype=torch.float32)


@pytest.mark.parametrize("damage", ["truncate", "garbage"])
def test_corrupt_weights(bert_dir: Path, tmp_path: Path, damage: str) -> None:
    for file in bert_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:500] if damage == "truncate" else b"\xff" * 4000)
    with pytest.raises(ModelCorrupt):
        TextNetwork.load(tmp_path, name="b", fingerprint="f", device=CPU, dtype=torch.float32)


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ('{"model_type": "no-such-architecture"}', UnsupportedModel),
        ('{"auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}', UnsupportedModel),
        ("{", ModelCorrupt),
    ],
)
def test_settings_that_cannot_be_used(
    bert_dir: Path, tmp_path: Path, config: str, error: type[Exception]
) -> None:
    for file in bert_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "evil.py").write_text("raise SystemExit('code of a checkpoint ran')")
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(error):
        TextNetwork.load(tmp_path, name="b", fingerprint="f", device=CPU, dtype=torch.float32)


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        TextNetwork.load(tmp_path, name="b", fingerprint="f", device=CPU, dtype=torch.float32)


@pytest.mark.model
def test_minilm(small_models: Models) -> None:
    network = small_models.plain_encoder
    assert (network.hidden_size, network.max_tokens) == (384, 510)
    texts = ["A man is eating food.", "A man is having a meal.", "Equities plunged today.", ""]
    states = network.hidden_states(texts)
    means = [state.vectors.mean(0) for state in states[:3]]
    unit = [mean / np.linalg.norm(mean) for mean in means]
    assert unit[0] @ unit[1] > 0.6 > 0.2 > unit[0] @ unit[2]
    assert states[3].vectors.shape == (0, 384)
    plain = AutoModel.from_pretrained(network.network.name_or_path, dtype=network.dtype).eval()
    ids = torch.tensor([[101, *network.tokenizer.encode(texts[0]), 102]])
    with torch.no_grad():
        expected = plain(input_ids=ids).last_hidden_state[0, 1:-1].float().numpy()
    np.testing.assert_allclose(states[0].vectors, expected, atol=0.05)


@pytest.mark.model
def test_the_trained_encoder_of_the_compact_profile(small_models: Models, models_dir: Path) -> None:
    network = Models(load_profile("compact"), models_dir, device="cpu").encoder
    assert (network.hidden_size, network.max_tokens) == (128, 510)
    asked, *passages = network.hidden_states(["What do cats eat?"], role="query") + network.hidden_states(
        ["Cats are fed on fish and mice.", "Equities plunged today."]
    )
    scores = []
    for one in passages:
        rows = one.vectors / np.linalg.norm(one.vectors, axis=1, keepdims=True)
        query = asked.vectors / np.linalg.norm(asked.vectors, axis=1, keepdims=True)
        scores.append((query @ rows.T).max(axis=1).mean())
    assert scores[0] > scores[1] + 0.2
    assert network.fingerprint != small_models.plain_encoder.fingerprint
