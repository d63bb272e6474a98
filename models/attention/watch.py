"""Measures the attention of one query row: its entropy, and the share of each passage.

Parallel encoding fails where the question's attention is spread too widely (Zhang et al. 2025, arXiv
2412.16545). So its entropy is compared with that of sequential reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.calls import ApeCall


class AttentionWatch:
    """Records, layer by layer, what the last query of one call attends to. Each call needs its own.

    `sizes` are the tokens of each passage in the order of the call's runs, however these are joined.
    """

    def __init__(self, sizes: Sequence[int] = ()) -> None:
        self._sizes = list(sizes)
        self._entropies: dict[int, float] = {}
        self._shares: dict[int, torch.Tensor] = {}

    @property
    def entropies(self) -> list[float]:
        """Nats a layer, mean over heads; log(keys) where all keys weigh the same, 0 where one weighs all."""
        return [self._entropies[layer] for layer in sorted(self._entropies)]

    @property
    def entropy(self) -> float:
        """The mean over layers."""
        return sum(self.entropies) / max(1, len(self._entropies))

    @property
    def shares(self) -> list[float]:
        """The part of the attention that each passage has, mean over heads and layers."""
        if not self._shares or not self._sizes:
            return []
        mean = torch.stack(list(self._shares.values())).mean(dim=0)
        return [float(share) for share in mean]

    def see(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, ape: ApeCall | None, scaling: float
    ) -> None:
        """Called by the attention: `query` (1, heads, queries, dim), `key` the cache's own keys."""
        others, passages = last_row(layer, query, key, ape, scaling)
        log_weights = torch.log_softmax(torch.cat([passages, others], dim=-1), dim=-1)
        weights = log_weights.exp()
        # A key that is not read has weight 0 and log weight -inf; it adds nothing.
        self._entropies[layer] = float(torch.special.entr(weights).sum(dim=-1).mean())
        if self._sizes:
            heads = weights[:, : sum(self._sizes)].split(self._sizes, dim=-1)
            self._shares[layer] = torch.stack([part.sum(dim=-1).mean() for part in heads])


def last_row(
    layer: int, query: torch.Tensor, key: torch.Tensor, ape: ApeCall | None, scaling: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The last query's logits (heads, keys) over prefix and own keys, and over passages.

    Softmax over both together is the attention: the policy of the passages is in their logits.
    """
    row = query[0, :, -1]
    others = [_logits(row, key[0], scaling)]
    runs: list[torch.Tensor] = []
    if ape is not None:
        if ape.prefix is not None:
            others.append(_logits(row, ape.prefix[layer][0][0], scaling))
        runs = [_logits(row, run[layer][0][0], scaling / ape.temperature) for run in ape.passages]
    if ape is None or not runs:
        return torch.cat(others, dim=-1), row.new_zeros(row.shape[0], 0, dtype=torch.float32)
    if ape.keep is not None and ape.keep < len(runs):
        sums = torch.stack([torch.logsumexp(run, dim=-1) for run in runs])
        best = sums.topk(ape.keep, dim=0).indices
        dropped = torch.ones_like(sums, dtype=torch.bool).scatter_(0, best, False)
        pairs = zip(runs, dropped, strict=True)
        runs = [run.masked_fill(gone[:, None], float("-inf")) for run, gone in pairs]
    passages = torch.cat(runs, dim=-1)
    lse = torch.logsumexp(passages, dim=-1, keepdim=True)
    return torch.cat(others, dim=-1), passages + (ape.scale * ape.temperature - 1) * lse + ape.bias


def _logits(row: torch.Tensor, keys: torch.Tensor, scaling: float) -> torch.Tensor:
    """(heads, keys) of one query (heads, dim) over keys (kv heads, keys, dim)."""
    heads, dim = row.shape
    grouped = row.reshape(keys.shape[0], heads // keys.shape[0], dim).float()
    return (grouped @ keys.float().transpose(-1, -2) * scaling).reshape(heads, -1)
