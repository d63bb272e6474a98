"""The attention weights of chosen heads and query rows: what the kernels compute and do not give back."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.blocks import LayerKeyValues
from models.attention.calls import ApeCall

_UNREAD = float("-inf")


def attention_weights(
    layer: int,
    query: torch.Tensor,
    key: torch.Tensor,
    ape: ApeCall | None,
    scaling: float,
    *,
    heads: Sequence[int] | None = None,
    rows: Sequence[int] | None = None,
) -> torch.Tensor:
    """Float32 weights (batch, heads, rows, columns) of one layer; the weights of a row add up to 1.

    `query` (batch, heads, queries, dim) is rotated; `key` (batch, kv heads, keys, dim) are the call's own,
    the last of which are the queries' and are read causally. Without `heads` or `rows`, all of them. The
    columns are the prefix of `ape`, its passages in order, then the own keys; its policy (temperature,
    scale, bias, keep) is in the weights. Only the chosen rows of the chosen heads take memory.

    >>> same = torch.ones(1, 1, 4, 8)
    >>> attention_weights(0, same, same, None, 1.0, rows=[1, 3])[0, 0].tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
    """
    chosen = range(query.shape[1]) if heads is None else heads
    at = range(query.shape[2]) if rows is None else rows
    places = torch.tensor(list(at), dtype=torch.long, device=query.device)
    group = query.shape[1] // key.shape[1]
    picked = query[:, list(chosen)][:, :, places].float()
    kv_heads = [head // group for head in chosen]
    own = _causal(_logits(picked, key, kv_heads, scaling), places + key.shape[2] - query.shape[2])
    parts = [own]
    if ape is not None and ape.passages:
        parts.insert(0, _passages([run[layer] for run in ape.passages], ape, picked, kv_heads, scaling))
    if ape is not None and ape.prefix is not None:
        parts.insert(0, _logits(picked, ape.prefix[layer][0], kv_heads, scaling))
    return torch.softmax(torch.cat(parts, dim=-1), dim=-1)


def _logits(query: torch.Tensor, key: torch.Tensor, kv_heads: Sequence[int], scaling: float) -> torch.Tensor:
    """(batch, heads, rows, keys), where query head i reads key head `kv_heads[i]`."""
    batch, heads, rows, _ = query.shape
    logits = query.new_empty((batch, heads, rows, key.shape[2]))
    for kv_head in sorted(set(kv_heads)):
        # One key head at a time: a gathered copy would hold the keys once a query head.
        readers = [at for at, read in enumerate(kv_heads) if read == kv_head]
        keys = key[:, kv_head].float().transpose(-1, -2)
        logits[:, readers] = query[:, readers] @ keys.unsqueeze(1) * scaling
    return logits


def _causal(logits: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """Row i reads the keys up to the one at `last[i]`."""
    later = torch.arange(logits.shape[-1], device=logits.device) > last[:, None]
    return logits.masked_fill_(later, _UNREAD)


def _passages(
    runs: Sequence[LayerKeyValues],
    ape: ApeCall,
    query: torch.Tensor,
    kv_heads: Sequence[int],
    scaling: float,
) -> torch.Tensor:
    """Logits over all passages whose softmax with the others' is the attention under the policy."""
    logits = [_logits(query, keys, kv_heads, scaling / ape.temperature) for keys, _ in runs]
    if ape.read < len(logits):
        logits = _strongest(logits, ape.read)
    together = torch.cat(logits, dim=-1)
    # T and S weigh the log-sum-exp as a whole: one number a row, the same for every passage.
    lse = torch.logsumexp(together, dim=-1, keepdim=True)
    return together + (ape.scale * ape.temperature - 1) * lse + ape.bias


def _strongest(runs: Sequence[torch.Tensor], keep: int) -> list[torch.Tensor]:
    """The runs with the largest log-sum-exp of each row; the others weigh nothing there."""
    sums = torch.stack([torch.logsumexp(run, dim=-1) for run in runs])
    dropped = torch.ones_like(sums, dtype=torch.bool).scatter_(0, sums.topk(keep, dim=0).indices, False)
    return [run.masked_fill(gone[..., None], _UNREAD) for run, gone in zip(runs, dropped, strict=True)]
