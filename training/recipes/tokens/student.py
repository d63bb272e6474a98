"""The network that learns: the encoder with low-rank changes and a projection, and as it was before."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import normalize

from models import TextNetwork
from models.device import pick_dtype
from training.low_rank import low_rank
from training.recipes.tokens.recipe import TokensRecipe


class Student(torch.nn.Module):
    """The network with its changes and the projection, and the network as it was."""

    def __init__(self, network: TextNetwork, recipe: TokensRecipe, projection: torch.Tensor) -> None:
        super().__init__()
        self.encoder: Any = low_rank(network.network, rank=recipe.rank, alpha=recipe.alpha, dropout=0.0)
        self.encoder.eval()  # no dropout: a few epochs of low rank need none
        self.projection = torch.nn.Parameter(projection.clone())
        self._mixed = pick_dtype("auto", network.device) is torch.bfloat16

    def states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states (b, n, hidden)."""
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self._mixed):
            states: torch.Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return states.float()

    @torch.no_grad()
    def unchanged(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Last hidden states (b, n, hidden) of the network without changes."""
        with self.encoder.disable_adapter():
            return self.states(ids, mask)

    def projected(self, states: torch.Tensor) -> torch.Tensor:
        """Unit vectors (b, n, dim)."""
        return normalize(states @ self.projection.T, dim=-1)
