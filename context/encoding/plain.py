"""Parallel encoding: each passage alone after one shared prefix, all at the same positions.

A prefix of P tokens has positions 0 .. P-1, every passage of n tokens P .. P+n-1, and the question follows
the longest passage, at P + max n. So a passage's keys and values depend only on the prefix and its own
tokens, and its block can be reused beside any other passages.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import DynamicCache

from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.device import call_cost
from models.errors import UnsupportedModel
from models.executor import breathe, piece
from models.networks.batching import plan_batches
from models.networks.language_model import LanguageModel


@torch.inference_mode()
def encode_prefix(lm: LanguageModel, ids: Sequence[int], *, start: int = 0) -> Block:
    """The block of tokens with nothing before them, such as the shared prefix, from position `start` on."""
    return _encode(lm, [ids], None, start)[0]


def encode_passages(
    lm: LanguageModel, prefix: Block, passages: Sequence[Sequence[int]], *, batch_tokens: int = 4096
) -> list[Block]:
    """One block a passage, in order, each as if it were alone after `prefix`.

    Passages of similar length share a forward call of at most `batch_tokens` tokens, padding included.
    Raises ValueError for a passage without tokens.
    """
    if not all(passages):
        raise ValueError("a passage without tokens has no block")
    blocks: dict[int, Block] = {}
    lengths = [len(ids) for ids in passages]
    for batch in plan_batches(lengths, budget=piece(batch_tokens), call_cost=call_cost(lm.device)):
        breathe()
        with torch.inference_mode():
            encoded = _encode(lm, [passages[at] for at in batch], prefix)
        blocks.update(zip(batch, encoded, strict=True))
    return [blocks[at] for at in range(len(passages))]


def _encode(
    lm: LanguageModel, rows: Sequence[Sequence[int]], prefix: Block | None, start: int = 0
) -> list[Block]:
    start = prefix.tokens if prefix else start
    longest = max(map(len, rows))
    # Padding stands behind the tokens, where causal attention never reads; it is cut off afterwards.
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=lm.device)
    positions = torch.arange(start, start + longest, device=lm.device)[None]
    cache = DynamicCache()
    lm.model.base_model(
        input_ids=ids,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        ape=ApeCall.over(prefix, ()),
    )
    keys = torch.stack([layer.keys for layer in cache.layers])
    values = torch.stack([layer.values for layer in cache.layers])
    geometry = lm.geometry
    shape = (geometry.layers, len(rows), geometry.kv_heads, longest, geometry.head_dim)
    if keys.shape != shape or values.shape != shape:
        raise UnsupportedModel(lm.name, f"its keys have the shape {tuple(keys.shape)}, not {shape}")
    return [
        Block(_copy(keys[:, at, :, : len(row)]), _copy(values[:, at, :, : len(row)]))
        for at, row in enumerate(rows)
    ]


def _copy(part: torch.Tensor) -> torch.Tensor:
    """A tensor of its own: a view would keep the whole batch alive."""
    return part.clone(memory_format=torch.contiguous_format)
