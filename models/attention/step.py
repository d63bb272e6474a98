"""Attention of one token of each of several answers, each over its own runs of keys."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.batch import BatchCall, FrozenPart, FrozenRun
from models.attention.calls import AttentionCall
from models.attention.row_keys import RowKeys


def writing_call(own: RowKeys, rows: slice, parts: Sequence[FrozenPart], queries: int = 1) -> AttentionCall:
    """The call in which answers continue: a `StepCall` where that can be, otherwise a `BatchCall`."""
    if queries == 1 and own.device.type == "cpu" and all(part.runs is not None for part in parts):
        return StepCall(own, rows, parts)
    return BatchCall(own, rows, parts, queries)


def rows_to_write(device: torch.device, rows: int | None = None) -> RowKeys:
    """Where answers on a device keep their own keys: in float32 on a CPU.

    Few keys in bfloat16 are multiplied no faster than in float32, for a product has a price of its own there.
    """
    dtype = torch.float32 if device.type == "cpu" else None
    return RowKeys(dtype=dtype) if rows is None else RowKeys(rows, dtype=dtype)


class StepCall:
    """As `BatchCall`, for single queries: two products a run of keys, one softmax over all that a row reads.

    A single query gains nothing from a kernel that never holds its logits. It reads parts that have `runs`.
    """

    def __init__(self, own: RowKeys, rows: slice, parts: Sequence[FrozenPart]) -> None:
        own.reserve(1)
        lengths = torch.tensor(own.lengths[rows])[:, None]
        self._own, self._rows = own, rows
        self._spots = own.spots(rows, lengths)
        self._longest = int(lengths.max()) + 1
        beyond = torch.arange(self._longest) > lengths
        # What a row must not add up: what lies behind its end.
        self._unread = torch.zeros(beyond.shape).masked_fill_(beyond, -torch.inf) if beyond.any() else None
        self._runs: list[Sequence[FrozenRun]] = [part.runs or () for part in parts]

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Attention (batch, heads, 1, dim) of rotated queries; `key` and `value` are theirs alone."""
        keys, values = (
            part[:, :, : self._longest].flatten(0, 1)
            for part in self._own.write(layer, self._rows, self._spots, key, value)
        )
        batch, kv_heads, _, dim = key.shape
        grouped = (query * scaling).view(batch * kv_heads, -1, dim)
        logits = torch.bmm(grouped.to(keys.dtype), keys.transpose(1, 2))
        if self._unread is not None:
            logits.view(batch, kv_heads, -1, self._longest).add_(self._unread[:, None, None])
        if not any(self._runs):
            return torch.bmm(torch.softmax(logits, dim=-1), values).view(query.shape)
        outputs = []
        for at, runs in enumerate(self._runs):
            row = slice(at * kv_heads, (at + 1) * kv_heads)
            weights, output = _over_runs(grouped[row], logits[row], runs, layer)
            outputs.append(output.baddbmm_(weights, values[row]))
        return (outputs[0] if batch == 1 else torch.cat(outputs)).view(query.shape)


def _over_runs(
    query: torch.Tensor, own: torch.Tensor, runs: Sequence[FrozenRun], layer: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights of a row's own keys, of logits `own` (kv heads, group, tokens), and the runs' output."""
    every = [own, *(run.logits(query, layer) for run in runs)]
    weights = torch.softmax(torch.cat(every, dim=-1), dim=-1, dtype=torch.float32)
    at = own.shape[-1]
    output = torch.zeros(query.shape)
    for run in runs:
        values = run.layers[layer][1]
        output += torch.bmm(weights[..., at : at + values.shape[1]].to(values.dtype), values)
        at += values.shape[1]
    return weights[..., : own.shape[-1]], output
