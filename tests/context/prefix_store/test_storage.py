"""What storing blocks in fewer bits changes: their size, and hardly anything of the answer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from context.encoding.plain import encode_passages, encode_prefix
from context.namespace import namespace_of
from context.prefix_store import STORAGES, Keys, PrefixStore, pack, unpack
from models.attention.blocks import Block, join_blocks
from models.attention.calls import ApeCall, enable_ape
from models.networks.language_model import LanguageModel
from tests.support.context_blocks import block_of


def test_exact_blocks_are_the_very_tensors():
    block = block_of(1)
    again = unpack(pack(block, "exact"))
    assert again.keys is block.keys
    assert again.values is block.values


@pytest.mark.parametrize(("storage", "share"), [("exact", 1.0), ("bfloat16", 0.5), ("int8", 0.26)])
def test_what_each_storage_takes(storage, share):
    draw = torch.Generator().manual_seed(0)
    keys, values = torch.randn(2, 30, 3, 200, 64, generator=draw)
    stored = pack(Block(keys, values), storage)
    assert stored.nbytes / (keys.nbytes + values.nbytes) == pytest.approx(share, abs=0.003)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@given(st.integers(0, 99), st.integers(0, 5), st.sampled_from([1e-30, 1e-3, 1.0, 1e3]))
def test_eight_bits_err_by_half_a_step(dtype, seed, tokens, size):
    block = block_of(seed, tokens)
    block = Block((block.keys * size).to(dtype), (block.values * size).to(dtype))
    again = unpack(pack(block, "int8"))
    assert again.keys.dtype == dtype
    rounding = torch.finfo(dtype).eps
    for got, wanted, axis in ((again.keys, block.keys, 2), (again.values, block.values, 3)):
        assert got.shape == wanted.shape
        if tokens:
            wanted = wanted.float()
            largest = wanted.abs().amax(dim=axis, keepdim=True)
            step = largest / 127
            slack = largest * rounding + torch.finfo(dtype).tiny
            assert bool(((got.float() - wanted).abs() <= step * 0.501 + slack).all())


def test_zeros_stay_zeros():
    zero = Block(torch.zeros(2, 1, 3, 4), torch.zeros(2, 1, 3, 4))
    again = unpack(pack(zero, "int8"))
    assert not again.keys.any()
    assert not again.values.any()


def test_a_loud_channel_leaves_the_others_their_bits():
    keys = torch.randn(1, 1, 50, 8, generator=torch.Generator().manual_seed(0))
    keys[..., 3] *= 200
    again = unpack(pack(Block(keys, keys), "int8"))
    quiet = [0, 1, 2, 4, 5, 6, 7]
    by_channel = (again.keys - keys)[..., quiet].abs().mean()
    by_token = (again.values - keys)[..., quiet].abs().mean()
    assert by_channel < by_token / 20


def test_storage_is_part_of_the_key(tiny):
    keys = {Keys(namespace_of(tiny, storage), b"", [1]).key([2]).block for storage in STORAGES}
    assert len(keys) == len(STORAGES)


def next_token(lm: LanguageModel, prefix: Block, blocks: list[Block]) -> torch.Tensor:
    """log p of the token after a question over these blocks."""
    from transformers import DynamicCache

    from context.writing.generation import read

    ape = ApeCall.over(prefix, [join_blocks(blocks)], temperature=0.8, scale=0.9)
    logits = read(lm, [7, 50, 9], prefix.tokens + 60, DynamicCache(), ape=ape)
    return torch.log_softmax(logits.double(), -1)


@pytest.mark.parametrize(("storage", "most"), [("exact", 1e-12), ("bfloat16", 2e-4), ("int8", 2e-3)])
def test_the_next_token_hardly_changes(tiny, storage, most):
    enable_ape(tiny)
    prefix = encode_prefix(tiny, [5, 9, 11])
    draw = torch.Generator().manual_seed(1)
    texts = [torch.randint(3, tiny.vocabulary_size, (60,), generator=draw).tolist() for _ in range(4)]
    keys = [Keys(namespace_of(tiny, storage), b"", [5, 9, 11]).key(text) for text in texts]
    store = PrefixStore(10**8, storage=storage)
    kept = store.fetch(keys, lambda places: encode_passages(tiny, prefix, [texts[at] for at in places]))
    exact = next_token(tiny, prefix, encode_passages(tiny, prefix, texts))
    got = next_token(tiny, prefix, list(kept.blocks))
    divergence = float((exact.exp() * (exact - got)).sum())
    assert divergence < most
    store.close()
