"""A block: the keys and values of a run of tokens. It is encoded once, shared, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch

LayerKeyValues: TypeAlias = tuple[torch.Tensor, torch.Tensor]
"""Keys and values (1, heads, tokens, dim) of one layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Keys and values (layers, heads, tokens, dim) of one run of tokens, keys after their rotation.

    Blocks are shared by concurrent requests, so nothing may write into their tensors.
    """

    keys: torch.Tensor
    values: torch.Tensor

    @property
    def tokens(self) -> int:
        """How many tokens it holds."""
        return int(self.keys.shape[2])

    @property
    def nbytes(self) -> int:
        """Bytes of both tensors."""
        return int(self.keys.nbytes + self.values.nbytes)

    def layers(self) -> tuple[LayerKeyValues, ...]:
        """What each layer's attention reads: views, no copies."""
        pairs = zip(self.keys.unsqueeze(1), self.values.unsqueeze(1), strict=True)
        return tuple((keys, values) for keys, values in pairs)

    def first(self, tokens: int) -> Block:
        """The block of its first tokens: views, no copies."""
        return Block(self.keys[:, :, :tokens], self.values[:, :, :tokens])

    def to(self, device: torch.device) -> Block:
        """The block on `device`: itself where it is there already."""
        if self.keys.device == device:
            return self
        return Block(self.keys.to(device), self.values.to(device))


def join_blocks(blocks: Sequence[Block]) -> Block:
    """One block that holds the tokens of all, in order; a single block is returned as it is."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        torch.cat([block.keys for block in blocks], dim=2),
        torch.cat([block.values for block in blocks], dim=2),
    )
