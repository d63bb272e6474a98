"""The lean forward pass of a short text: the numbers of the modules, or none at all."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from models.networks.lean_encoder import LeanEncoder
from models.networks.text_network import TextNetwork
from models.profile import load_profile
from models.registry import Models
from tests.support.speeds import examples


def tiny(
    dtype: torch.dtype = torch.float32, *, heads: int = 4, layers: int = 2, **changes: object
) -> BertModel:
    torch.manual_seed(heads * 10 + layers)
    config = BertConfig(
        vocab_size=90,
        hidden_size=24,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=40,
        max_position_embeddings=80,
        initializer_range=0.5,
        **changes,
    )
    return BertModel(config, add_pooling_layer=False).eval().requires_grad_(False).to(dtype)


def by_modules(network: BertModel, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network(input_ids=ids[None]).last_hidden_state[0]


texts = st.lists(st.lists(st.integers(0, 89), min_size=1, max_size=75), min_size=1, max_size=4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)])
@settings(max_examples=examples(15), deadline=None)
@given(texts=texts, heads=st.sampled_from([1, 2, 6]), layers=st.integers(0, 3))
def test_it_gives_the_numbers_of_the_modules(dtype, tolerance, texts, heads, layers):
    network = tiny(dtype, heads=heads, layers=layers)
    lean = LeanEncoder.of(network)
    assert lean is not None
    read = lean([np.array(ids) for ids in texts])
    for ids, found in zip(texts, read, strict=True):
        assert found.dtype == dtype
        torch.testing.assert_close(
            found, by_modules(network, torch.tensor(ids)), atol=tolerance, rtol=tolerance
        )


def test_without_a_second_form_of_its_weights_it_reads_alike(monkeypatch):
    network = tiny()
    monkeypatch.setattr("models.networks.lean_encoder._for_few_rows", lambda weight, bias: None)
    lean = LeanEncoder.of(network)
    assert lean is not None
    (found,) = lean([np.array([3, 1, 4])])
    torch.testing.assert_close(found, by_modules(network, torch.tensor([3, 1, 4])), atol=1e-5, rtol=1e-5)


def test_other_networks_have_no_lean_form():
    assert LeanEncoder.of(tiny(hidden_act="relu")) is None
    assert LeanEncoder.of(tiny(is_decoder=True)) is None
    assert LeanEncoder.of(tiny().train()) is None
    assert LeanEncoder.of(tiny().requires_grad_(True)) is None
    config = XLMRobertaConfig(vocab_size=90, hidden_size=24, num_hidden_layers=1, num_attention_heads=4)
    assert LeanEncoder.of(XLMRobertaModel(config).eval().requires_grad_(False)) is None

    class Adapted(torch.nn.Module):
        pass

    adapted = tiny()
    adapted.encoder.layer[0].output.dense = Adapted()
    assert LeanEncoder.of(adapted) is None


def test_a_network_reads_with_it_unless_something_is_masked(
    bert: TextNetwork, monkeypatch: pytest.MonkeyPatch
):
    network = bert.with_reading(replace(bert.reading, query_length=20))
    lean, calls = LeanEncoder.of(bert.network), []
    assert lean is not None
    monkeypatch.setattr(network, "_lean", lambda rows: calls.append(list(map(len, rows))) or lean(rows))
    passages = network.hidden_states(["The quick brown fox", "dog"])
    assert calls == [[len(one) + 2 for one in passages]]
    network.hidden_states(["dog"], role="query")  # its mask tokens are not attended to
    assert len(calls) == 1


def test_the_thread_count_is_put_back():
    before = torch.get_num_threads()
    lean = LeanEncoder.of(tiny())
    assert lean is not None
    torch.set_num_threads(3)
    try:
        lean([np.array([1, 2])])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.model
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_packaged_encoder_reads_questions_alike(models_dir: Path, dtype: torch.dtype):
    network = Models(load_profile("small"), models_dir).encoder
    modules = copy.deepcopy(network.network).to(dtype)
    plain = TextNetwork(modules, network.tokenizer, name="m", fingerprint="f")
    lean = LeanEncoder.of(modules)
    assert lean is not None
    for question in ("who wrote it", "When was the first bridge over the river built?", "a " * 40):
        (row,) = plain.tokenize([question])
        ids = np.array([*plain.tokenizer.prefix, *row.ids.tolist(), *plain.tokenizer.suffix])
        found, wanted = lean([ids])[0].float(), by_modules(modules, torch.from_numpy(ids)).float()
        cosine = torch.nn.functional.cosine_similarity(found, wanted)
        assert cosine.min() > (0.999999 if dtype == torch.float32 else 0.9995)
