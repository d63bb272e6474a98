"""APE: attention over passages that were encoded apart (Yang et al. 2025, arXiv 2502.05431).

One attention function is registered with transformers under `NAME`. A call without `ape=` is ordinary
attention; with `ape=ApeCall(...)` the queries also read frozen keys and values that lie outside the
growing cache. No state is stored on the model, so one network serves both kinds of call at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
import transformers

from models.attention.blocks import Block, LayerKeyValues
from models.attention.kernels import Partial, partial_attention
from models.attention.key_scratch import KeyScratch, joined
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel

# Looked up in `transformers` at the first use: its modules of models take 3.5 CPU seconds to import.
# Without "flash" in it: transformers takes such names for kernels to download.
NAME = "excerpta_ape"

WEIGHTLESS = torch.finfo(torch.float32).min
"""The log-sum-exp of what must not count; -inf would have no difference from another -inf."""

_MOVING_ROPES = frozenset({"dynamic", "longrope"})
_REFUSED_ARGUMENTS = ("softcap", "sliding_window", "s_aux", "position_bias")


@dataclass(frozen=True, slots=True)
class ApeCall:
    """The keys that one call reads besides the cache: a shared prefix, and passages under a policy.

    Each run holds one (keys, values) pair a layer, of batch size 1. `temperature` (T) divides the
    passages' logits and `scale` (S) multiplies their log-sum-exp; T = S = 1 is plain attention. `bias`
    is added to it: it multiplies the passages' weight against everything else by exp(bias), independently of
    the logits. S cannot do that. With `keep`, each query of each head reads only the `keep` runs that it
    attends to most.
    """

    prefix: tuple[LayerKeyValues, ...] | None = None
    passages: tuple[tuple[LayerKeyValues, ...], ...] = ()
    temperature: float = 1.0
    scale: float = 1.0
    bias: float = 0.0
    keep: int | None = None
    scratch: KeyScratch = field(default_factory=KeyScratch, init=False, repr=False, compare=False)

    @classmethod
    def over(
        cls,
        prefix: Block | None,
        passages: Sequence[Block],
        *,
        temperature: float = 1.0,
        scale: float = 1.0,
        bias: float = 0.0,
        keep: int | None = None,
    ) -> ApeCall:
        """The call that reads these blocks; blocks without tokens are left out."""
        return cls(
            prefix.layers() if prefix is not None and prefix.tokens else None,
            tuple(block.layers() for block in passages if block.tokens),
            temperature,
            scale,
            bias,
            keep,
        )

    @property
    def read(self) -> int:
        """How many of the passages each query reads."""
        return len(self.passages) if self.keep is None else min(self.keep, len(self.passages))

    def for_writing(self) -> ApeCall:
        """The same call for many tokens: if all passages are read, they are one run, copied here."""
        if len(self.passages) < 2 or self.read < len(self.passages):
            return self
        run = tuple(joined(runs) for runs in zip(*self.passages, strict=True))
        return replace(self, passages=(run,), keep=None)


class AttentionCall(Protocol):
    """A call with its own attention, such as a batch of many answers."""

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Attention (batch, heads, queries, dim); `key` and `value` as the model gives them."""


class Watch(Protocol):
    """Sees the queries and keys of each layer of a call before its attention is computed."""

    def see(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, ape: ApeCall | None, scaling: float
    ) -> None:
        """`query` (batch, heads, queries, dim) is rotated; `key` are the call's own keys.

        An exception raised here ends the call before the layer's attention.
        """


def enable_ape(lm: LanguageModel) -> None:
    """Makes `lm` accept `ape=` in its calls; ordinary calls stay as they were.

    Raises UnsupportedModel where keys and values of one passage cannot stand beside another's.
    """
    if reason := _why_not(lm):
        raise UnsupportedModel(lm.name, reason)
    transformers.AttentionInterface.register(NAME, ape_attention)
    # Without its mask function transformers makes no mask at all, and ordinary attention
    # would then silently drop everything after the first `queries` keys.
    transformers.AttentionMaskInterface.register(NAME, transformers.masking_utils.sdpa_mask)
    if lm.model.config._attn_implementation != NAME:
        lm.model.set_attn_implementation(NAME)


def ape_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    ape: ApeCall | AttentionCall | None = None,
    watch: Watch | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """The registered function; without `ape` it is transformers' own sdpa.

    `query` (batch, heads, queries, dim) is rotated; `key` and `value` (batch, kv heads, keys, dim) are
    the cache's, the queries' own included. `watch` sees queries and keys of an `ApeCall`. Returns
    (batch, queries, heads, dim).
    """
    layer: int = module.layer_idx  # type: ignore[assignment]
    if watch is not None and (ape is None or isinstance(ape, ApeCall)):
        watch.see(layer, query, key, ape, query.shape[-1] ** -0.5 if scaling is None else scaling)
    if ape is None:
        sdpa = transformers.integrations.sdpa_attention.sdpa_attention_forward
        result: tuple[torch.Tensor, None] = sdpa(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
        return result
    for name in _REFUSED_ARGUMENTS:
        if kwargs.get(name) is not None:
            raise UnsupportedModel(type(module).__name__, f"APE cannot honour its {name}")
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    if not isinstance(ape, ApeCall):
        output = ape.attend(layer, query, key, value, scaling)
        return output.to(query.dtype).transpose(1, 2).contiguous(), None
    parts = [partial_attention(query, key, value, scaling, attention_mask, causal=attention_mask is None)]
    if ape.prefix is not None:
        parts.append(frozen_partial(query, ape.prefix[layer], scaling))
    if ape.passages:
        parts.append(passages_partial(query, ape, layer, scaling))
    output, _ = merge(parts)
    return output.to(query.dtype).transpose(1, 2).contiguous(), None


def passages_partial(query: torch.Tensor, ape: ApeCall, layer: int, scaling: float) -> Partial:
    """Attention over the passages of a call that has some, weighed by its policy."""
    runs = [run[layer] for run in ape.passages]
    if ape.read == len(runs):
        output, lse = frozen_partial(query, ape.scratch.lay_out(runs), scaling / ape.temperature)
    else:
        partials = [frozen_partial(query, run, scaling / ape.temperature) for run in runs]
        output, lse = merge(strongest(partials, ape.read))
    return output, lse * (ape.scale * ape.temperature) + ape.bias


def merge(partials: Sequence[Partial]) -> Partial:
    """Attention over all keys from attention over some: outputs weighted by softmax of log-sum-exps.

    Of two the second's weight is the sigmoid of the difference; a further one joins what they make.
    """
    output, lse = partials[0]
    for other, other_lse in partials[1:]:
        weight = torch.sigmoid(other_lse - lse).unsqueeze(-1)
        output = torch.lerp(output.float(), other.float(), weight)
        lse = torch.logaddexp(lse, other_lse)
    return output, lse


def strongest(partials: Sequence[Partial], keep: int) -> list[Partial]:
    """For each query of each head, the others than the `keep` with the largest log-sum-exp weigh nothing.

    A run's log-sum-exp is the logarithm of its share of the attention, so these are the runs with the
    largest aggregated attention.
    """
    lses = torch.stack([lse for _, lse in partials])
    chosen = torch.zeros_like(lses, dtype=torch.bool).scatter_(0, lses.topk(keep, dim=0).indices, True)
    kept = lses.masked_fill(~chosen, WEIGHTLESS)
    return [(output, lse) for (output, _), lse in zip(partials, kept, strict=True)]


def frozen_partial(query: torch.Tensor, run: LayerKeyValues, scaling: float) -> Partial:
    """Attention over one run of keys, the same for every row of the batch."""
    key, value = (part.expand(query.shape[0], -1, -1, -1) for part in run)
    return partial_attention(query, key, value, scaling)


def _why_not(lm: LanguageModel) -> str | None:
    """Why this architecture's passages cannot be encoded apart; None if they can."""
    config = lm.model.config
    if not getattr(lm.model, "_supports_attention_backend", False):
        return "its attention cannot be replaced by a registered function; choose a Llama, Qwen or Mistral"
    if not lm.full_attention:
        return "some of its layers attend through a sliding window; choose a model with full attention"
    if getattr(config, "attn_logit_softcapping", None) is not None:
        return "its attention logits are soft-capped; choose a model without a cap"
    if getattr(config, "kv_lora_rank", None) is not None:
        return "its keys and values are kept compressed; choose a Llama, Qwen or Mistral"
    rope = getattr(config, "rope_parameters", None) or {}
    if not rope:
        return "it has no rotary positions; choose a Llama, Qwen or Mistral"
    if rope.get("rope_type", "default") in _MOVING_ROPES:
        return "its rotary positions depend on the length of the prompt, so no key can be reused"
    return None
