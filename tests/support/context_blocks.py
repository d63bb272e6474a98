"""Small blocks and keys to put into stores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from context.prefix_store import BlockKey, Keys, Namespace, PrefixStore, StoredBlock, pack
from context.prefix_store.tiers.block_file import block_to_bytes
from models.attention.blocks import Block

REDIS = "redis://127.0.0.1:6379/9"
NAMESPACE = Namespace(
    model="m:float32:0", tokenizer="t", layers=2, kv_heads=1, head_dim=4, rope="{}", dtype="float32"
)


def key_of(
    *passage: int, salt: bytes = b"", namespace: Namespace = NAMESPACE, document: str = ""
) -> BlockKey:
    """The key of a passage; it promises nothing, so blocks of any shape may go under it."""
    return replace(Keys(namespace, salt, [1, 2]).key(passage, document), promise=None)


def block_of(seed: int, tokens: int = 3, dtype: torch.dtype = torch.float32) -> Block:
    draw = torch.Generator().manual_seed(seed)
    keys, values = torch.randn(2, 2, 1, tokens, 4, generator=draw).to(dtype)
    return Block(keys, values)


def stored_of(
    seed: int, tokens: int = 3, dtype: torch.dtype = torch.float32, seconds: float = 0.5
) -> StoredBlock:
    return pack(block_of(seed, tokens, dtype), "exact", seconds)


def same(a: Block | None, b: Block) -> bool:
    return (
        a is not None
        and a.keys.dtype == b.keys.dtype
        and torch.equal(a.keys, b.keys)
        and torch.equal(a.values, b.values)
    )


def same_stored(a: StoredBlock | None, b: StoredBlock) -> bool:
    return (
        a is not None
        and (a.dtype, a.seconds) == (b.dtype, b.seconds)
        and a.tensors.keys() == b.tensors.keys()
        and all(torch.equal(a.tensors[name], b.tensors[name]) for name in b.tensors)
    )


def in_child(work: Callable[[], object]) -> int:
    """The exit status of `work` in a process of its own; negative for a signal."""
    if (child := os.fork()) == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def never(_: object) -> list[Block]:
    raise AssertionError("nothing should be made")


class NotCached(Exception):
    """Raised in place of making a block."""


def cached(store: PrefixStore, key: BlockKey) -> Block | None:
    """The block that the store has, if it has one."""

    def refuse(_: object) -> list[Block]:
        raise NotCached

    try:
        return store.fetch([key], refuse).blocks[0]
    except NotCached:
        return None


def cache(store: PrefixStore, key: BlockKey, block: Block) -> None:
    """Has every tier keep a block, as a request does that used it before."""
    store.fetch([key], lambda _: [block], keep=True)


def maker(calls: list[list[int]]) -> Callable[[Sequence[int]], list[Block]]:
    """Makes blocks by their places, and notes which."""

    def make(places: Sequence[int]) -> list[Block]:
        calls.append(list(places))
        return [block_of(at) for at in places]

    return make


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


BLOCK = block_of(0).nbytes
FILE = len(block_to_bytes(key_of(1), stored_of(1)))
