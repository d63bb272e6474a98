"""Small blocks and keys to put into stores."""

from __future__ import annotations

import torch

from context.blocks import Block
from context.prefix_store import BlockKey, Keys, Namespace

NAMESPACE = Namespace(
    model="m:float32:0", tokenizer="t", layers=2, kv_heads=1, head_dim=4, rope="{}", dtype="float32"
)


def key_of(*passage: int, salt: bytes = b"", namespace: Namespace = NAMESPACE) -> BlockKey:
    return Keys(namespace, salt, [1, 2]).key(passage)


def block_of(seed: int, tokens: int = 3, dtype: torch.dtype = torch.float32) -> Block:
    draw = torch.Generator().manual_seed(seed)
    keys, values = torch.randn(2, 2, 1, tokens, 4, generator=draw).to(dtype)
    return Block(keys, values)
