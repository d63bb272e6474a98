"""Measures the attention of one query row: its entropy, and the share of each passage.

Parallel encoding fails where the question's attention is spread too widely (Zhang et al. 2025, arXiv
2412.16545). So its entropy is compared with that of sequential reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.attention.calls import ApeCall
from models.attention.weights import attention_weights


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
        weights = attention_weights(layer, query, key, ape, scaling, rows=[query.shape[2] - 1])[0, :, 0]
        # A key that is not read has the weight 0, which adds nothing.
        self._entropies[layer] = float(torch.special.entr(weights).sum(dim=-1).mean())
        if self._sizes:
            before = 0 if ape is None or ape.prefix is None else ape.prefix[layer][0].shape[2]
            heads = weights[:, before : before + sum(self._sizes)].split(self._sizes, dim=-1)
            self._shares[layer] = torch.stack([part.sum(dim=-1).mean() for part in heads])
