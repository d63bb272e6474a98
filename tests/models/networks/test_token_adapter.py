"""Adapters that make a plain encoder a late-interaction one: added exactly, to a copy, refused where they do not fit."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelCorrupt, ModelNotFound, UnsupportedModel
from models.networks.text_network import TextNetwork
from models.networks.token_adapter import FORMAT, TokenAdapterConfig, adapt, save_token_adapter

CONFIG = TokenAdapterConfig(
    format=FORMAT,
    base="tiny-bert",
    hidden_size=16,
    dim=8,
    rank=2,
    alpha=4.0,
    query_marker="[Q] ",
    passage_marker="[D] ",
    skips_punctuation=True,
)
MODULE = "encoder.layer.0.attention.self.query"


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    weights = {
        f"{MODULE}.lora_A": torch.randn(2, 16).half().float(),
        f"{MODULE}.lora_B": torch.randn(16, 2).half().float(),
        "projection": torch.randn(8, 16).half().float(),
    }
    deltas = {name: weight for name, weight in weights.items() if name != "projection"}
    save_token_adapter(tmp_path / "adapter", CONFIG, deltas, weights["projection"])
    return tmp_path / "adapter", weights


def test_it_adds_its_changes_and_projects(
    bert: TextNetwork, saved: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    directory, weights = saved
    adapted = adapt(bert, directory, fingerprint="adapted")
    assert (adapted.hidden_size, adapted.fingerprint, adapted.name) == (8, "adapted", "tiny-bert+adapter")
    weight = bert.network.get_submodule(MODULE).weight
    before = weight.clone()
    ids = [2, 6, *bert.tokenizer.encode("quick fox"), 3]
    weight.data += 2.0 * weights[f"{MODULE}.lora_B"] @ weights[f"{MODULE}.lora_A"]
    try:
        with torch.no_grad():
            states = bert.network(input_ids=torch.tensor([ids])).last_hidden_state[0]
    finally:
        weight.data.copy_(before)
    (state,) = adapted.hidden_states(["quick fox"], role="passage")
    np.testing.assert_allclose(
        state.vectors, states[2:-1].numpy() @ weights["projection"].numpy().T, atol=1e-4
    )
    untouched = "encoder.layer.1.output.dense"
    assert (
        adapted.network.get_submodule(untouched).weight.data_ptr()
        == bert.network.get_submodule(untouched).weight.data_ptr()
    )


def test_punctuation_has_no_vector_in_passages_only(
    bert: TextNetwork, saved: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    adapted = adapt(bert, saved[0], fingerprint="adapted")
    text = "the fox."
    stop = bert.tokenizer.token_id(".")
    (passage,) = adapted.hidden_states([text], role="passage")
    (query,) = adapted.hidden_states([text], role="query")
    assert stop in query.ids
    assert stop not in passage.ids
    (alone,) = adapted.hidden_states(["..."], role="passage")
    assert len(alone) == 3  # a text of nothing else keeps them: it can be found


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"base": "another"}, UnsupportedModel),
        ({"hidden_size": 32}, UnsupportedModel),
        ({"dim": 9}, ModelCorrupt),
        ({"format": "other/1"}, ModelCorrupt),
        ({"query_marker": "[X]"}, UnsupportedModel),
    ],
)
def test_what_does_not_fit_is_refused(
    bert: TextNetwork, saved: tuple[Path, dict[str, torch.Tensor]], change: dict[str, object], error: type
) -> None:
    directory, _ = saved
    config = asdict(replace(CONFIG, **change))  # type: ignore[arg-type]
    (directory / "config.json").write_text(json.dumps(config))
    with pytest.raises(error):
        adapt(bert, directory, fingerprint="f")


def test_what_is_missing_or_damaged_is_named(
    bert: TextNetwork, saved: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    directory, _ = saved
    with pytest.raises(ModelNotFound):
        adapt(bert, tmp_path / "none", fingerprint="f")
    (directory / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelCorrupt):
        adapt(bert, directory, fingerprint="f")
    (directory / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        adapt(bert, directory, fingerprint="f")
