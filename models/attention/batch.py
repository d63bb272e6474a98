"""Attention for several answers in one call: each with its own passages and its own growing keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import torch

from models.attention.blocks import LayerKeyValues
from models.attention.calls import WEIGHTLESS, ApeCall, frozen_partial, merge, passages_partial
from models.attention.kernels import Partial, partial_attention
from models.attention.row_keys import RowKeys

Run: TypeAlias = tuple[LayerKeyValues, ...]
"""Keys and values (1, heads, tokens, dim) of each layer."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenRun:
    """A run of frozen keys, as one softmax reads it beside others.

    `layers` has transposed keys (kv heads, dim, tokens) and values (kv heads, tokens, dim), views of the run.
    With temperature T, scale S and bias b its keys weigh exp(S T lse + b) together, as in `ApeCall`, where
    lse is the log-sum-exp of q K / T: their logits are q K / T + (S T - 1) lse + b. `power` is S T.
    """

    layers: Sequence[LayerKeyValues]
    temperature: float = 1.0
    power: float = 1.0
    bias: float = 0.0

    @classmethod
    def of(cls, run: Run, temperature: float = 1.0, scale: float = 1.0, bias: float = 0.0) -> FrozenRun:
        """The run under a policy; without one it counts as if it had been read in sequence."""
        layers = [(keys[0].transpose(1, 2), values[0]) for keys, values in run]
        return cls(layers, temperature, scale * temperature, bias)

    def logits(self, query: torch.Tensor, layer: int) -> torch.Tensor:
        """Logits (kv heads, group, tokens) of scaled queries (kv heads, group, dim) over the run's keys."""
        keys = self.layers[layer][0]
        logits = torch.bmm(
            (query if self.temperature == 1 else query / self.temperature).to(keys.dtype), keys
        )
        if self.power == 1 and self.bias == 0:
            return logits
        logits = logits.float()
        if self.power == 1:
            return logits.add_(self.bias)
        shift = torch.logsumexp(logits, dim=-1, keepdim=True).mul_(self.power - 1).add_(self.bias)
        return logits.add_(shift)


@dataclass(frozen=True, eq=False)
class FrozenPart:
    """The frozen keys of one answer: an `ApeCall`, and its own prompt where that is long."""

    ape: ApeCall | None = None
    prompt: Run | None = None

    @cached_property
    def runs(self) -> Sequence[FrozenRun] | None:
        """All of it as runs beside each other; None if there are several passages, which share a policy."""
        runs = [] if self.prompt is None else [FrozenRun.of(self.prompt)]
        ape = self.ape
        if ape is not None and ape.prefix is not None:
            runs.append(FrozenRun.of(ape.prefix))
        if ape is not None and ape.passages:
            if len(ape.passages) > 1:
                return None
            runs.append(FrozenRun.of(ape.passages[0], ape.temperature, ape.scale, ape.bias))
        return runs

    @property
    def prefix(self) -> Run | None:
        """The prefix, which answers may share."""
        return None if self.ape is None else self.ape.prefix


class BatchCall:
    """The queries of several answers, the same number of each: row i of the batch belongs to `parts[i]`.

    New keys are appended to those that `own` has in `rows`; the caller then lengthens the rows. Padding
    queries write keys too, behind the row's end, where the next keys overwrite them.
    """

    def __init__(self, own: RowKeys, rows: slice, parts: Sequence[FrozenPart], queries: int = 1) -> None:
        own.reserve(queries)
        lengths = own.lengths[rows]
        self._own, self._rows, self._parts = own, rows, parts
        self._longest = max(lengths) + queries
        self._places = torch.tensor(lengths)[:, None] + torch.arange(queries)
        self._spots = own.spots(rows, self._places)
        # A query reads its row up to itself.
        self._mask = (torch.arange(self._longest) <= self._places[..., None])[:, None]
        self._prefixes = _shared([part.prefix for part in parts])

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Attention (batch, heads, queries, dim) of rotated queries; `key` and `value` are theirs alone."""
        if self._places.device != query.device:
            self._places, self._mask = self._places.to(query.device), self._mask.to(query.device)
            self._spots = self._spots.to(query.device)
        keys, values = self._own.write(layer, self._rows, self._spots, key, value)
        own = keys[:, :, : self._longest], values[:, :, : self._longest]
        parts = [_packed(query.to(keys.dtype), *own, scaling, self._mask)]
        for prefix, members in self._prefixes:
            parts.append(_for_rows(members, query, _same_keys(query[members], prefix[layer], scaling)))
        passages = [_passages(part, _row(query, at), layer, scaling) for at, part in enumerate(self._parts)]
        prompts = [_prompt(part, _row(query, at), layer, scaling) for at, part in enumerate(self._parts)]
        parts += [_each(query, rows) for rows in (passages, prompts) if any(rows)]
        return merge(parts)[0]


def _passages(part: FrozenPart, query: torch.Tensor, layer: int, scaling: float) -> Partial | None:
    if part.ape is None or not part.ape.passages:
        return None
    return passages_partial(query, part.ape, layer, scaling)


def _prompt(part: FrozenPart, query: torch.Tensor, layer: int, scaling: float) -> Partial | None:
    return None if part.prompt is None else frozen_partial(query, part.prompt[layer], scaling)


def _row(query: torch.Tensor, at: int) -> torch.Tensor:
    return query[at : at + 1]


def _shared(prefixes: Sequence[Run | None]) -> list[tuple[Run, list[int]]]:
    """Each prefix once, with the rows that read it."""
    groups: dict[tuple[int, torch.Size], tuple[Run, list[int]]] = {}
    for at, prefix in enumerate(prefixes):
        if prefix is not None:
            # Each call has views of its own; where they lie tells whether they are the same keys.
            keys = prefix[0][0]
            groups.setdefault((keys.data_ptr(), keys.shape), (prefix, []))[1].append(at)
    return list(groups.values())


def _packed(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, mask: torch.Tensor
) -> Partial:
    """Single queries as queries of one key head, which the kernels do faster."""
    batch, heads, queries, dim = query.shape
    if queries > 1:
        return partial_attention(query, key, value, scaling, mask)
    packed = query.reshape(batch, key.shape[1], -1, dim)
    output, lse = partial_attention(packed, key, value, scaling, mask)
    return output.reshape(batch, heads, 1, -1), lse.reshape(batch, heads, 1)


def _same_keys(query: torch.Tensor, run: LayerKeyValues, scaling: float) -> Partial:
    """Rows that read the same keys, as more queries of one row: the keys are read once."""
    batch, heads, queries, dim = query.shape
    kv_heads = run[0].shape[1]
    packed = query.reshape(batch, kv_heads, -1, dim).transpose(0, 1).reshape(1, kv_heads, -1, dim)
    output, lse = partial_attention(packed, *run, scaling)
    output = output.reshape(kv_heads, batch, -1, output.shape[-1]).transpose(0, 1)
    lse = lse.reshape(kv_heads, batch, -1).transpose(0, 1)
    return output.reshape(batch, heads, queries, -1), lse.reshape(batch, heads, queries)


def _for_rows(members: Sequence[int], query: torch.Tensor, partial: Partial) -> Partial:
    """The partial of some rows as one of all; the others' weighs nothing."""
    if len(members) == query.shape[0]:
        return partial
    output, lse = _nothing(query)
    at = torch.tensor(members, device=query.device)
    return output.index_copy(0, at, partial[0].float()), lse.index_copy(0, at, partial[1].float())


def _each(query: torch.Tensor, rows: Sequence[Partial | None]) -> Partial:
    """One partial of all from one a row; None weighs nothing."""
    nothing = _nothing(query[:1])
    given = [nothing if row is None else row for row in rows]
    return torch.cat([output.float() for output, _ in given]), torch.cat([lse.float() for _, lse in given])


def _nothing(query: torch.Tensor) -> Partial:
    zeros = torch.zeros(query.shape, device=query.device)
    return zeros, torch.full(query.shape[:3], WEIGHTLESS, device=query.device)
