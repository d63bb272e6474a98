"""Redis is not trusted: only what this service sealed, for this key, in this shape, is ever read."""

import itertools

import pytest
import redis
import torch

from context.prefix_store import STORAGES, BlockKey, Keys, Namespace, pack
from context.prefix_store.stored import StoredBlock
from context.prefix_store.tiers.block_file import CorruptBlock, block_from_bytes, block_to_bytes
from models.attention.blocks import Block
from tests.support.context_blocks import REDIS, block_of, key_of, same_stored, stored_of


def promised(*passage: int, storage: str = "exact", dtype: str = "float32") -> BlockKey:
    space = Namespace(
        model="m", tokenizer="t", layers=2, kv_heads=1, head_dim=4, rope="{}", dtype=dtype, storage=storage
    )
    return Keys(space, b"", [1, 2]).key(passage)


@pytest.mark.parametrize(
    ("storage", "dtype", "tokens"), itertools.product(STORAGES, ["float32", "float16", "bfloat16"], [0, 1, 5])
)
def test_every_storage_keeps_its_promise(storage, dtype, tokens):
    key = promised(*range(tokens), storage=storage, dtype=dtype)
    stored = pack(block_of(1, tokens, getattr(torch, dtype)), storage, 0.5)
    assert same_stored(block_from_bytes(key, block_to_bytes(key, stored)), stored)


def wrong_blocks():
    right = stored_of(1).tensors
    yield "more tokens", StoredBlock(stored_of(1, tokens=4).tensors, "float32", 0.5)
    yield "another type", pack(block_of(1, 3, torch.float16), "exact", 0.5)
    yield "another storage", pack(block_of(1), "int8", 0.5)
    yield "another name", StoredBlock({**right, "more": right["keys"].clone()}, "float32", 0.5)
    yield "read as another type", StoredBlock(right, "float16", 0.5)
    yield "an attribute of torch that is no type", StoredBlock(right, "nn", 0.5)
    tall = torch.zeros(3, 1, 3, 4)
    yield "more layers", pack(Block(tall, tall.clone()), "exact", 0.5)
    yield (
        "one is cut",
        StoredBlock({**right, "values": right["values"][:, :, :2].contiguous()}, "float32", 0.5),
    )


@pytest.mark.parametrize(("what", "block"), wrong_blocks())
def test_a_block_with_a_right_checksum_and_a_wrong_shape_is_refused(what, block):
    key = promised(1, 2, 3)
    with pytest.raises(CorruptBlock):
        block_from_bytes(key, block_to_bytes(key, block))


def planted():
    zeros = torch.zeros(2, 1, 3, 4)
    for value in (zeros, zeros / 0, zeros[:1]):
        yield block_to_bytes(promised(1, 2, 3), pack(Block(value, value.clone()), "exact", 0.5))
    yield b""
    yield b"x"
    yield b"\0" * 1000


@pytest.mark.process
@pytest.mark.parametrize("prefix", [b"", b"\0" * 32])
def test_what_others_write_to_redis_is_a_miss(make_redis, prefix):
    tier, key = make_redis(), promised(1, 2, 3)
    with redis.Redis.from_url(REDIS) as client:
        for count, value in enumerate(planted(), 1):
            client.set(tier._place(key), prefix + value)
            assert tier.get(key) is None
            assert tier.stats().misses == count
        client.delete(tier._place(key))
        client.lpush(tier._place(key), b"a list")
        assert tier.get(key) is None
        client.delete(tier._place(key))
        client.set(tier._place(key), b"x" * (1 << 20))
    tier.put(key, stored_of(1))
    assert tier.get(key) is None  # what was planted is gone now, and the next use puts the block in
    tier.put(key, stored_of(1))
    assert same_stored(tier.get(key), stored_of(1))


@pytest.mark.process
def test_a_block_counts_only_under_its_key_and_by_its_own_secret(make_redis):
    ours, theirs = make_redis(), make_redis(secret=b"t" * 32)
    theirs.put(key_of(1), stored_of(1))
    assert ours.get(key_of(1)) is None
    ours.put(key_of(1), stored_of(1))
    with redis.Redis.from_url(REDIS) as client:
        client.copy(ours._place(key_of(1)), ours._place(key_of(2)))
    assert ours.get(key_of(2)) is None
    assert ours.get(key_of(1)) is not None
    assert ours.get(key_of(3)) is None
