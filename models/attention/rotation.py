"""Cached keys at other positions: a rotary key at p turned by d more is the key at p + d (PIE, RoFormer).

Values hold no position. The influence of earlier tokens on a key stays as it was when it was encoded.
"""

from __future__ import annotations

import torch
from transformers import DynamicCache

from models.attention.blocks import Block
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel

_TOLERANCE = 0.05
"""Of the largest key: far above rounding in bfloat16, far below what a wrong layout gives."""


class Rotation:
    """Moves a model's cached keys. Raises UnsupportedModel if its rotary positions work in another way."""

    def __init__(self, lm: LanguageModel) -> None:
        rotary = getattr(lm.model.base_model, "rotary_emb", None)
        frequencies = getattr(rotary, "inv_freq", None)
        if not isinstance(frequencies, torch.Tensor):
            raise UnsupportedModel(lm.name, "its rotary frequencies are not where they can be read")
        self._frequencies = frequencies.detach().float()
        if not self._moves_keys_of(lm):
            raise UnsupportedModel(lm.name, "its keys are rotated in a layout that is not known here")

    def move(self, block: Block, by: int) -> Block:
        """The block `by` positions further on; its values are shared, and nothing is changed in place."""
        if by == 0:
            return block
        return Block(turn(block.keys, by, self._frequencies), block.values)

    @torch.inference_mode()
    def _moves_keys_of(self, lm: LanguageModel) -> bool:
        """Whether the first token's keys, moved, are the keys of the same token read further on."""
        keys = []
        for position in (0, 5):
            cache = DynamicCache()
            lm.model.base_model(
                input_ids=torch.tensor([[1]], device=lm.device),
                position_ids=torch.tensor([[position]], device=lm.device),
                past_key_values=cache,
                use_cache=True,
            )
            keys.append(torch.cat([layer.keys for layer in cache.layers]))
        moved = turn(keys[0], 5, self._frequencies).float()
        return bool((moved - keys[1].float()).abs().max() <= _TOLERANCE * moved.abs().max())


def turn(keys: torch.Tensor, by: float, frequencies: torch.Tensor) -> torch.Tensor:
    """Keys (..., dim) turned by so many positions: dimension i with dimension i + dim / 2.

    Only the first 2 * len(frequencies) dimensions hold positions; the sums are float32.
    """
    half = frequencies.shape[0]
    angles = by * frequencies.to(keys.device).double()
    cos, sin = angles.cos().float(), angles.sin().float()
    first, second = keys[..., :half].float(), keys[..., half : 2 * half].float()
    turned = torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return torch.cat([turned.to(keys.dtype), keys[..., 2 * half :]], dim=-1)
