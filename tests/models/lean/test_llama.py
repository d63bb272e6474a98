"""The lean step gives the logits of the modules' step, and leaves to the modules what it does not cover."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import DynamicCache

from models.attention.batch import BatchCall, FrozenPart
from models.attention.calls import ApeCall, enable_ape
from models.attention.row_keys import RowKeys
from models.attention.step import StepCall, writing_call
from models.lean.llama import LeanLlama, why_not
from models.lean.table import KernelTable
from models.networks.language_model import LanguageModel
from tests.models.lean.test_packing import ALWAYS_FASTER
from tests.support.tiny.checkpoints import CPU, save_llama
from tests.support.tiny.tokenizers import byte_level

CHANGES = {
    "plain": {},
    "untied": {"tie_word_embeddings": False},
    "one head a key head": {"num_key_value_heads": 4},
    "wide heads": {"head_dim": 24, "num_key_value_heads": 1},
    "llama3": {
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 500.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        }
    },
}


def load(directory: Path, *, dtype: torch.dtype = torch.float32, **changes) -> LanguageModel:
    torch.manual_seed(5)
    save_llama(directory, byte_level(), **changes)
    lm = LanguageModel.load(directory, name="tiny", fingerprint="f", device=CPU, dtype=dtype)
    enable_ape(lm)
    return lm


@pytest.fixture(scope="module", params=CHANGES)
def llama(request, tmp_path_factory) -> LanguageModel:
    return load(tmp_path_factory.mktemp("llama"), **CHANGES[request.param])


@pytest.fixture
def one(tmp_path) -> LanguageModel:
    return load(tmp_path)


def rows_of(lm: LanguageModel, contexts: list[list[int]], ape: ApeCall | None = None) -> RowKeys:
    """A row for each context, whose tokens the modules have read."""
    own = RowKeys()
    with torch.inference_mode():
        for ids in contexts:
            cache = DynamicCache()
            options = {} if ape is None else {"ape": ape}
            lm.model.base_model(
                input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True, **options
            )
            own.add([(layer.keys, layer.values) for layer in cache.layers])
    return own


def frozen(lm: LanguageModel, tokens: int, **policy: float) -> ApeCall:
    """A call over a random passage."""
    geometry, draw = lm.geometry, torch.Generator().manual_seed(tokens)
    shape = (2, geometry.layers, 1, 1, geometry.kv_heads, tokens, geometry.head_dim)
    keys, values = torch.randn(shape, generator=draw)
    return ApeCall(None, (tuple(zip(keys[:, 0], values[:, 0], strict=True)),), **policy)


@given(
    contexts=st.lists(st.lists(st.integers(3, 399), min_size=1, max_size=20), min_size=1, max_size=5),
    queries=st.integers(1, 3),
    policies=st.lists(
        st.sampled_from([None, (1, 1, 0), (0.7, 0.9, -0.5), (1, 1, -1.1)]), min_size=5, max_size=5
    ),
    passage=st.integers(1, 30),
)
def test_the_lean_step_gives_the_logits_of_the_modules(llama, contexts, queries, policies, passage):
    """Rows of mixed lengths, some over a passage under a policy; several queries a row are drafts."""
    parts = [
        FrozenPart(
            None if one is None else frozen(llama, passage, temperature=one[0], scale=one[1], bias=one[2])
        )
        for one in policies[: len(contexts)]
    ]
    ids = torch.randint(3, 399, (len(contexts), queries), generator=torch.Generator().manual_seed(passage))
    positions = torch.tensor([[len(row)] for row in contexts]) + torch.arange(queries)
    rows = slice(0, len(contexts))
    wanted_keys, keys = rows_of(llama, contexts), rows_of(llama, contexts)
    with torch.inference_mode():
        wanted = llama.model(
            input_ids=ids,
            position_ids=positions,
            use_cache=False,
            ape=BatchCall(wanted_keys, rows, parts, queries),
        ).logits
    found = LeanLlama(llama.model)(ids, positions, writing_call(keys, rows, parts, queries))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    for at, row in enumerate(contexts):
        tokens = len(row) + queries
        torch.testing.assert_close(keys.block(at, tokens).keys, wanted_keys.block(at, tokens).keys)
        torch.testing.assert_close(keys.block(at, tokens).values, wanted_keys.block(at, tokens).values)


def test_a_long_answer_equals_reading_it_at_once(one):
    """Step after step, through the strides and the growth of a row."""
    one.write_lean(packed=False)
    ids = torch.randint(3, 399, (1, 100), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = one.model(input_ids=ids, use_cache=False).logits[0, 10:]
    own, found = rows_of(one, [ids[0, :10].tolist()]), []
    for at in range(10, 100):
        call = writing_call(own, slice(0, 1), [FrozenPart()])
        found.append(one.step(ids[:, at : at + 1], torch.tensor([[at]]), call)[0, 0])
        own.lengths[0] += 1
    torch.testing.assert_close(torch.stack(found), wanted, atol=1e-4, rtol=1e-4)


def test_single_queries_take_the_step_call_and_others_the_batch_call(one):
    own = rows_of(one, [[3, 4], [5]])
    passage = frozen(one, 4).passages
    several = FrozenPart(ApeCall(None, passage * 2))
    both = slice(0, 2)
    assert isinstance(writing_call(own, both, [FrozenPart()] * 2), StepCall)
    assert isinstance(writing_call(own, both, [FrozenPart()] * 2, 2), BatchCall)
    assert isinstance(writing_call(own, both, [FrozenPart(), several]), BatchCall)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packed_weights_stay_close_and_their_likeliest_logits_are_exact(tmp_path, dtype):
    lm = load(tmp_path, dtype=dtype, hidden_size=64, vocab_size=416, initializer_range=0.1)
    dense = LeanLlama(lm.model)
    packed = LeanLlama(lm.model, KernelTable({"dense": {1: 2.0, 4: 2.0}, "int8": {1: 1.0, 4: 1.0}}))
    assert packed.packed_bytes > 0 == dense.packed_bytes
    ids, positions = torch.tensor([[7], [9]]), torch.tensor([[3], [2]])
    found = []
    for lean in (dense, packed):
        own = rows_of(lm, [[5, 6, 7], [8, 9]])
        found.append(lean(ids, positions, writing_call(own, slice(0, 2), [FrozenPart()] * 2)).float())
    wanted, got = (torch.log_softmax(logits[:, 0].double(), dim=-1) for logits in found)
    assert float((wanted.exp() * (wanted - got)).sum(dim=-1).max()) < 0.003
    assert torch.equal(wanted.argmax(-1), got.argmax(-1))
    largest = found[1].flatten().bfloat16().float()
    assert not torch.equal(found[1].flatten(), largest), "the likeliest are float32"


def test_a_float32_profile_is_dense_throughout(one):
    assert one.write_lean(packed=False) is None
    assert one.lean is not None
    assert one.lean.packed_bytes == 0


def test_an_adapter_is_written_through_the_modules(one):
    one.write_lean(packed=False)
    assert one.lean.stands_for(one.model)
    layer = one.model.model.layers[1].self_attn
    plain = layer.q_proj

    class Wrapped(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return plain(x) * 1.5

    def step() -> torch.Tensor:
        call = writing_call(rows_of(one, [[3, 4, 5]]), slice(0, 1), [FrozenPart()])
        return one.step(torch.tensor([[6]]), torch.tensor([[3]]), call)

    before = step()
    layer.q_proj = Wrapped()
    assert not one.lean.stands_for(one.model)
    wrapped = step()
    assert not torch.allclose(wrapped, before)
    layer.q_proj = plain
    torch.testing.assert_close(step(), before)
    plain.weight = nn.Parameter(plain.weight * 1.5, requires_grad=False)
    torch.testing.assert_close(step(), wrapped)
    assert why_not(one.model) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attention_bias": True}, "biases"),
        ({"mlp_bias": True}, "biases"),
        ({"hidden_act": "gelu"}, "SiLU"),
        (
            {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 500.0, "factor": 2.0}},
            "length of the text",
        ),
    ],
)
def test_another_network_than_a_plain_llama_keeps_its_modules(tmp_path, changes, reason):
    torch.manual_seed(5)
    save_llama(tmp_path, byte_level(), **changes)
    lm = LanguageModel.load(tmp_path, name="tiny", fingerprint="f", device=CPU, dtype=torch.float32)
    assert reason in lm.write_lean(packed=True)
    assert lm.lean is None
    with pytest.raises(ValueError, match=reason):
        LeanLlama(lm.model, ALWAYS_FASTER)


def test_a_qwen_keeps_its_modules(qwen):
    assert "Qwen2ForCausalLM" in qwen.write_lean(packed=True)
    assert qwen.lean is None


def test_a_wrapped_projection_keeps_the_modules_from_the_start(one):
    one.model.model.layers[2].mlp.up_proj = nn.Sequential(one.model.model.layers[2].mlp.up_proj)
    assert "adapter" in one.write_lean(packed=True)
    assert one.lean is None


def test_a_float16_network_keeps_its_modules(tmp_path):
    assert "float16" in load(tmp_path, dtype=torch.float16).write_lean(packed=True)


@pytest.fixture
def qwen(qwen_dir: Path) -> LanguageModel:
    return LanguageModel.load(qwen_dir, name="qwen", fingerprint="f", device=CPU, dtype=torch.float32)
