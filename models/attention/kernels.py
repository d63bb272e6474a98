"""Attention over some of the keys, with its log-sum-exp, so that several can be merged: the kernels.

`partial_attention` picks the fastest one that this PyTorch and this processor have; `eager_partial` is what
all of them are compared with.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import torch

from models.device import multiplies_bfloat16

Partial: TypeAlias = tuple[torch.Tensor, torch.Tensor]
"""Attention over some keys: output (batch, heads, queries, dim), log-sum-exp (batch, heads, queries)."""

_WORTH_MULTIPLYING = 1 << 14
_FEWEST_KEYS = 128
"""Keys, and logits a key head, from which matrix products are faster than PyTorch's kernel in bfloat16."""

_multiplies_bfloat16 = cache(multiplies_bfloat16)


def partial_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float,
    mask: torch.Tensor | None = None,
    *,
    causal: bool = False,
) -> Partial:
    """Attention and its log-sum-exp by the fastest kernel there is; as `eager_partial`."""
    if query.device.type != "cpu" or not _CPU_KERNEL:
        return eager_partial(query, key, value, scaling, mask, causal=causal)
    if mask is None and not causal and _multiplies_well(query, key):
        return bfloat16_partial(query, key, value, scaling)
    return cpu_partial(query, key, value, scaling, mask, causal=causal)


def _multiplies_well(query: torch.Tensor, key: torch.Tensor) -> bool:
    if query.dtype != torch.bfloat16 or key.shape[2] < _FEWEST_KEYS:
        return False
    logits = query.shape[1] // key.shape[1] * query.shape[2] * key.shape[2]
    return logits >= _WORTH_MULTIPLYING and _multiplies_bfloat16()


def eager_partial(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float,
    mask: torch.Tensor | None = None,
    *,
    causal: bool = False,
) -> Partial:
    """Attention and its log-sum-exp by plain tensor operations, computed in float32, for every device.

    `mask` (batch or 1, 1, queries, keys) is True where a query may read; `causal` stands for the mask
    of queries that are the last of the keys.
    """
    batch, heads, queries, dim = query.shape
    kv_heads = key.shape[1]
    if causal:
        mask = _causal_mask(queries, key.shape[2], query.device)
    # Query heads of one key head share a matrix product instead of copies of the keys.
    grouped = query.reshape(batch, kv_heads, heads // kv_heads, queries, dim).float()
    logits = grouped @ key.float().unsqueeze(2).transpose(-1, -2) * scaling
    if mask is not None:
        logits = logits.masked_fill(~mask.unsqueeze(1), float("-inf"))
    lse = torch.logsumexp(logits, dim=-1)
    output = torch.exp(logits - lse.unsqueeze(-1)) @ value.float().unsqueeze(2)
    return output.reshape(batch, heads, queries, -1), lse.reshape(batch, heads, queries)


def cpu_partial(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float,
    mask: torch.Tensor | None = None,
    *,
    causal: bool = False,
) -> Partial:
    """The same by PyTorch's own CPU kernel, which gives the log-sum-exp back; many times faster."""
    batch, heads, queries, dim = query.shape
    keys, kv_heads = key.shape[2], key.shape[1]
    causal = causal and queries > 1
    if not causal and mask is None and heads != kv_heads:
        # As queries of one key head, whose keys the kernel then reads once: of a single query in bfloat16
        # that takes a tenth of the time.
        packed = query.reshape(batch, kv_heads, -1, dim)
        output, lse = cpu_partial(packed, key, value, scaling)
        return output.reshape(batch, heads, queries, -1), lse.reshape(batch, heads, queries)
    if causal and queries != keys:  # the kernel would take the queries for the first of the keys
        mask, causal = _causal_mask(queries, keys, query.device), False
    bias = None
    if mask is not None:
        bias = torch.zeros(mask.shape, dtype=query.dtype).masked_fill_(~mask, float("-inf"))
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, causal, attn_mask=bias, scale=scaling
    )
    return output, lse


def bfloat16_partial(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> Partial:
    """The same for all queries over all keys, by the processor's own bfloat16 products.

    PyTorch's kernel multiplies bfloat16 no faster than float32. Here logits are rounded to bfloat16 before
    their softmax, in float32, as eager attention in bfloat16 does: about .01 in the log-sum-exp.
    """
    batch, heads, queries, dim = query.shape
    rows, kv_heads = heads // key.shape[1] * queries, key.shape[1]
    packed = query.reshape(batch, kv_heads, rows, dim)
    output = query.new_empty((batch, kv_heads, rows, value.shape[3]))
    lse = query.new_empty((batch, kv_heads, rows), dtype=torch.float32)
    for at in range(batch):
        for head in range(kv_heads):
            logits = torch.mm(packed[at, head], key[at, head].T)
            weights = logits.float().mul_(scaling)
            highest = weights.amax(dim=-1)
            torch.softmax(weights, dim=-1, out=weights)
            # The largest weight is exp(its logit) over the sum of all.
            torch.sub(highest, weights.amax(dim=-1).log_(), out=lse[at, head])
            torch.mm(logits.copy_(weights), value[at, head], out=output[at, head])
    return output.reshape(batch, heads, queries, -1), lse.reshape(batch, heads, queries)


def _cpu_kernel_works() -> bool:
    """Whether this PyTorch has the private CPU kernel, and it gives what the eager form gives."""
    draw = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, 3, 8, generator=draw)
    key, value = torch.randn(2, 1, 2, 5, 8, generator=draw)
    mask = torch.ones(3, 5, dtype=torch.bool).tril(2)[None, None]
    try:
        pairs = zip(
            cpu_partial(query, key, value, 0.5, mask),
            eager_partial(query, key, value, 0.5, mask),
            strict=True,
        )
        return all(torch.allclose(got, wanted, atol=1e-4) for got, wanted in pairs)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return False


_CPU_KERNEL = _cpu_kernel_works()


def _causal_mask(queries: int, keys: int, device: torch.device) -> torch.Tensor:
    return torch.ones(1, 1, queries, keys, dtype=torch.bool, device=device).tril(keys - queries)
