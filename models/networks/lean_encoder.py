"""BERT's forward pass on a CPU without its modules: the same numbers, and half the time for a question.

A question has some ten tokens. At that length most of the time of a forward call goes into modules, masks
and checks of arguments, and into rearranging each weight for a product of a few rows. Several texts are read
one behind the other, so that nothing is padded and no mask is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from models.device import one_core

_BERT = "transformers.models.bert.modeling_bert.BertModel"  # importing it takes a second
_SHORT = 64  # tokens that are read on one core, with weights arranged for products of few rows
_ROWS = 16

Product: TypeAlias = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: torch.Tensor
    bias: torch.Tensor
    eps: float

    @classmethod
    def of(cls, module: Any) -> _Norm:
        return cls(module.weight, module.bias, module.eps)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        return layer_norm(states, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True, slots=True)
class _Linear:
    """A linear layer, with a second form of its weight for few rows where oneDNN has one."""

    weight: torch.Tensor
    bias: torch.Tensor
    few: Product | None

    @classmethod
    def of(cls, weight: torch.Tensor, bias: torch.Tensor) -> _Linear:
        return cls(weight, bias, _for_few_rows(weight, bias))

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        if self.few is not None and len(states) <= _SHORT:
            return self.few(states)
        return linear(states, self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer: queries, keys and values come out of one product."""

    heads: int
    projections: _Linear
    attended: _Linear
    attended_norm: _Norm
    widened: _Linear
    narrowed: _Linear
    narrowed_norm: _Norm

    @classmethod
    def of(cls, layer: Any) -> _Layer:
        own, output = layer.attention.self, layer.attention.output
        parts = (own.query, own.key, own.value)
        return cls(
            own.num_attention_heads,
            _Linear.of(torch.cat([one.weight for one in parts]), torch.cat([one.bias for one in parts])),
            _Linear.of(output.dense.weight, output.dense.bias),
            _Norm.of(output.LayerNorm),
            _Linear.of(layer.intermediate.dense.weight, layer.intermediate.dense.bias),
            _Linear.of(layer.output.dense.weight, layer.output.dense.bias),
            _Norm.of(layer.output.LayerNorm),
        )

    def __call__(self, states: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        width = states.shape[1]
        projected = self.projections(states).split(lengths)
        joined = torch.cat([self._attend(one, width) for one in projected])
        states = self.attended_norm(self.attended(joined) + states)
        return self.narrowed_norm(self.narrowed(gelu(self.widened(states))) + states)

    def _attend(self, projected: torch.Tensor, width: int) -> torch.Tensor:
        """One text's queries, keys and values (n, 3 * width) to what its tokens attend to (n, width)."""
        parts = projected.view(1, len(projected), 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(queries, keys, values)
        return attended.transpose(1, 2).reshape(len(projected), width)


class LeanEncoder:
    """The forward pass of one BERT, whose weights no longer change. It keeps a copy of its layers."""

    def __init__(self, network: Any) -> None:
        embeddings = network.embeddings
        self._words: torch.Tensor = embeddings.word_embeddings.weight
        self._kind: torch.Tensor = embeddings.token_type_embeddings.weight[0]
        self._positions: torch.Tensor = embeddings.position_embeddings.weight
        self._norm = _Norm.of(embeddings.LayerNorm)
        self._layers = [_Layer.of(layer) for layer in network.encoder.layer]

    @classmethod
    def of(cls, network: Any) -> LeanEncoder | None:
        """The lean form of a network; None where it has none: of other architectures, and in training."""
        kind = type(network)
        if (
            f"{kind.__module__}.{kind.__qualname__}" != _BERT
            or network.device.type != "cpu"
            or network.training
        ):
            return None
        if network.config.hidden_act != "gelu" or network.config.is_decoder:
            return None
        plain = all(_is_plain(module) for module in network.encoder.modules())
        if not plain or any(weight.requires_grad for weight in network.parameters()):
            return None
        with torch.inference_mode():
            return cls(network)

    @torch.inference_mode()
    def __call__(self, texts: Sequence[NDArray[np.int64]]) -> list[torch.Tensor]:
        """The last hidden states (n, hidden) of each text's token ids (n,), all of which are attended to.

        But for rounding, a text's numbers are the same whichever texts are read with it.
        """
        lengths = [len(text) for text in texts]
        ids = torch.from_numpy(np.concatenate(texts))
        positions = torch.cat([self._positions[:length] for length in lengths])
        with one_core() if len(ids) <= _SHORT else nullcontext():
            states = self._norm(self._words[ids] + self._kind + positions)
            for layer in self._layers:
                states = layer(states, lengths)
        return list(states.split(lengths))


def _is_plain(module: torch.nn.Module) -> bool:
    """Whether a module is one of BERT's own: adapters put others in their place."""
    return type(module).__module__.startswith(("torch.nn.", "transformers.")) and not module._forward_hooks


def _for_few_rows(weight: torch.Tensor, bias: torch.Tensor) -> Product | None:
    """The layer with its weight arranged once; None where that cannot be done, or gives other numbers."""
    probe = torch.linspace(-1, 1, 2 * weight.shape[1]).view(2, -1).to(weight.dtype)
    try:
        arranged = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS)
        multiply = torch.ops.mkldnn._linear_pointwise
        found = multiply(probe, arranged, bias, "none", [], "")
    except (AttributeError, RuntimeError):  # not in every build of torch, nor for every processor
        return None
    if not torch.allclose(found, linear(probe, weight, bias), rtol=1e-2, atol=1e-3):
        return None
    return lambda states: multiply(states, arranged, bias, "none", [], "")
