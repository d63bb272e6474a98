"""Whole networks: parallel encoding against sequential reading, alone against in company."""

from __future__ import annotations

import threading

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

from context.encoding.plain import encode_passages, encode_prefix
from context.writing.generation import read
from models.attention.blocks import join_blocks
from models.attention.calls import ApeCall, enable_ape
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel

PREFIX = [5, 9, 11, 30, 41]
PASSAGES = [[50, 51, 52, 53], [60, 61], [70, 71, 72, 73, 74, 75, 76], [80]]
QUESTION = [90, 91, 92]


@pytest.fixture(scope="module")
def lm(tiny):
    enable_ape(tiny)
    return tiny


@pytest.fixture(scope="module")
def prefix(lm):
    return encode_prefix(lm, PREFIX)


def answer(lm, prefix, blocks, *, start=None, **merge):
    """Logits after the question, and after one more token."""
    start = prefix.tokens + max(block.tokens for block in blocks) if start is None else start
    ape = ApeCall.over(prefix, blocks, **merge)
    cache = DynamicCache()
    first = read(lm, QUESTION, start, cache, ape=ape)
    return torch.stack([first, read(lm, [7], start + len(QUESTION), cache, ape=ape)])


def sequential(lm, ids):
    cache = DynamicCache()
    first = read(lm, ids, 0, cache)
    return torch.stack([first, read(lm, [7], len(ids), cache)])


def close(a, b, atol=1e-3):
    torch.testing.assert_close(a, b, atol=atol, rtol=0)


def test_one_passage_without_temperature_is_sequential_reading(lm, prefix):
    blocks = encode_passages(lm, prefix, [PASSAGES[2]])
    close(answer(lm, prefix, blocks), sequential(lm, [*PREFIX, *PASSAGES[2], *QUESTION]))


def test_several_passages_equal_one_forward_call_with_a_block_mask(lm, prefix):
    """T = S = 1 by stock attention: repeated positions, and passages that cannot see each other."""
    ids = [*PREFIX, *(token for passage in PASSAGES for token in passage), *QUESTION]
    owner = [0] * len(PREFIX) + [at + 1 for at, p in enumerate(PASSAGES) for _ in p] + [-1] * len(QUESTION)
    start = len(PREFIX) + max(map(len, PASSAGES))
    positions = [
        *range(len(PREFIX)),
        *(len(PREFIX) + at for p in PASSAGES for at in range(len(p))),
        *range(start, start + len(QUESTION)),
    ]
    sees = torch.tensor([[b == 0 or a == b or a == -1 for b in owner] for a in owner]).tril()
    mask = torch.zeros(1, 1, len(ids), len(ids)).masked_fill(~sees, float("-inf"))
    with torch.inference_mode():
        wanted = lm.model(
            input_ids=torch.tensor([ids]), position_ids=torch.tensor([positions]), attention_mask=mask
        ).logits[0, -1]
    close(answer(lm, prefix, encode_passages(lm, prefix, PASSAGES))[0], wanted)


def test_the_order_of_passages_changes_nothing(lm, prefix):
    blocks = encode_passages(lm, prefix, PASSAGES)
    there = answer(lm, prefix, blocks, temperature=0.75, scale=0.9)
    close(answer(lm, prefix, blocks[::-1], temperature=0.75, scale=0.9), there)
    close(
        answer(lm, prefix, [join_blocks(blocks[2:] + blocks[:2])], start=12, temperature=0.75, scale=0.9),
        there,
    )


def test_padded_equals_alone(lm, prefix):
    together = encode_passages(lm, prefix, PASSAGES, batch_tokens=10_000)
    for block, passage in zip(together, PASSAGES, strict=True):
        alone = encode_passages(lm, prefix, [passage])[0]
        assert block.tokens == len(passage)
        assert block.keys.is_contiguous()
        close(block.keys, alone.keys, 1e-4)
        close(block.values, alone.values, 1e-4)


def test_blocks_are_the_keys_of_reading_prefix_and_passage(lm, prefix):
    block = encode_passages(lm, prefix, [PASSAGES[0]])[0]
    cache = DynamicCache()
    read(lm, [*PREFIX, *PASSAGES[0]], 0, cache)
    close(block.keys, torch.stack([layer.keys[0, :, len(PREFIX) :] for layer in cache.layers]), 1e-4)
    close(prefix.values, torch.stack([layer.values[0, :, : len(PREFIX)] for layer in cache.layers]), 1e-4)


def test_the_context_changes_the_logits(lm, prefix):
    """Without a mask function, transformers would drop all keys but the first few, in silence."""
    blocks = encode_passages(lm, prefix, PASSAGES)
    far = len(PREFIX) + 7
    with_all = answer(lm, prefix, blocks)
    nothing = answer(lm, prefix, [], start=far)
    fewer = answer(lm, prefix, blocks[:3], start=far)
    assert (with_all - nothing).abs().max() > 1e-2
    assert (with_all - fewer).abs().max() > 1e-2
    own = ApeCall.over(prefix, blocks)
    cache = DynamicCache()
    other = read(lm, [33, *QUESTION[1:]], far, cache, ape=own)
    assert (with_all[0] - other).abs().max() > 1e-2
    for merge in ({"temperature": 0.6}, {"scale": 0.8}):
        assert (answer(lm, prefix, blocks, **merge) - with_all).abs().max() > 1e-3


def test_ordinary_calls_stay_as_they_were(make_tiny):
    fresh = make_tiny()
    ids = [*PREFIX, *PASSAGES[0]]
    before = sequential(fresh, ids)
    enable_ape(fresh)
    assert torch.equal(sequential(fresh, ids), before)
    cache = DynamicCache()
    read(fresh, ids[:4], 0, cache)
    close(read(fresh, ids[4:], 4, cache), before[0])  # a cache behind several queries needs its mask


def test_nothing_writes_into_blocks_read_by_many(lm, prefix):
    blocks = encode_passages(lm, prefix, PASSAGES)
    copies = [(block.keys.clone(), block.values.clone()) for block in [prefix, *blocks]]
    wanted = answer(lm, prefix, blocks, temperature=0.75, scale=0.9)
    results: list[torch.Tensor] = []

    def work():
        results.append(answer(lm, prefix, blocks, temperature=0.75, scale=0.9))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(torch.equal(result, wanted) for result in results)
    for block, (keys, values) in zip([prefix, *blocks], copies, strict=True):
        assert torch.equal(block.keys, keys)
        assert torch.equal(block.values, values)


def test_bfloat16_stays_near_sequential_reading(make_tiny):
    half = make_tiny(dtype=torch.bfloat16)
    enable_ape(half)
    prefix = encode_prefix(half, PREFIX)
    blocks = encode_passages(half, prefix, [PASSAGES[0]])
    assert blocks[0].keys.dtype == torch.bfloat16
    got = torch.softmax(answer(half, prefix, blocks).float(), -1)
    wanted = torch.softmax(sequential(half, [*PREFIX, *PASSAGES[0], *QUESTION]).float(), -1)
    assert (got - wanted).abs().sum(-1).max() < 0.1


def test_a_passage_without_tokens_is_refused(lm, prefix):
    assert encode_passages(lm, prefix, []) == []
    with pytest.raises(ValueError, match="without tokens"):
        encode_passages(lm, prefix, [[1], []])


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "mistral"])
def test_other_architectures_work_too(kind, make_tiny):
    llama = make_tiny()
    settings = {
        name: getattr(llama.model.config, name)
        for name in (
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
        )
    }
    config = AutoConfig.for_model(
        kind, **settings, num_key_value_heads=2, head_dim=16, sliding_window=None, use_sliding_window=False
    )
    torch.manual_seed(1)
    network = AutoModelForCausalLM.from_config(config).eval()
    lm = LanguageModel(network, llama.tokenizer, llama._text, name=kind, fingerprint=kind)
    enable_ape(lm)
    prefix = encode_prefix(lm, PREFIX)
    blocks = encode_passages(lm, prefix, [PASSAGES[2]])
    close(answer(lm, prefix, blocks), sequential(lm, [*PREFIX, *PASSAGES[2], *QUESTION]))


def test_sliding_windows_are_refused(make_tiny):
    llama = make_tiny()
    network = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(
            "mistral", hidden_size=32, num_hidden_layers=1, vocab_size=300, sliding_window=16
        )
    )
    with pytest.raises(UnsupportedModel, match="sliding window"):
        enable_ape(LanguageModel(network, llama.tokenizer, llama._text, name="mistral", fingerprint="m"))
