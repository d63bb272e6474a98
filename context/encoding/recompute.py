"""Some tokens of a cached prompt read again in sequence: new keys and values in all layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.attention.watch import AttentionWatch
from models.networks.language_model import LanguageModel


class _Patched(DynamicLayer):
    """Keys and values of a whole prompt, into which those of the tokens being read are written."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, places: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values = keys, values
        self.is_initialized = True
        self._places = places

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Overwrites instead of appending."""
        self.keys.index_copy_(2, self._places, key_states)
        self.values.index_copy_(2, self._places, value_states)
        return self.keys, self.values


@torch.inference_mode()
def reread(
    lm: LanguageModel,
    context: Block,
    ids: Sequence[int],
    places: Sequence[int],
    *,
    watch: AttentionWatch | None = None,
) -> tuple[DynamicCache, torch.Tensor]:
    """Reads the tokens at `places` of the prompt `ids` again, each over everything before it.

    `context` has the keys and values of the first tokens, at positions 0 and on; it is copied, not
    changed. Every token behind it must be among the places. Returns a cache of the whole prompt and the
    logits (vocabulary,) behind its last token.
    """
    wanted = sorted({*places, *range(context.tokens, len(ids))})
    at = torch.tensor(wanted, device=lm.device)
    more = (0, 0, 0, len(ids) - context.tokens)
    keys, values = (torch.nn.functional.pad(part, more) for part in (context.keys, context.values))
    cache = DynamicCache()
    for layer in range(keys.shape[0]):
        cache.layers.append(_Patched(keys[layer, None], values[layer, None], at))
    everything = torch.arange(len(ids), device=lm.device)
    output = lm.model(
        input_ids=torch.tensor([[ids[place] for place in wanted]], device=lm.device),
        position_ids=at[None],
        attention_mask=(everything <= at[:, None])[None, None],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
        ape=ApeCall(),
        watch=watch,
    )
    # From here on the cache grows, as any other.
    grows = DynamicCache([(layer.keys, layer.values) for layer in cache.layers])
    return grows, output.logits[0, -1]
