"""The step of a Llama without its modules: the last tokens of some answers in, logits of the next out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import embedding, rms_norm, silu
from transformers.models.llama.modeling_llama import (
    LlamaAttention,
    LlamaDecoderLayer,
    LlamaForCausalLM,
    LlamaMLP,
    LlamaRMSNorm,
)

from models.lean.head import Head
from models.lean.matrix import Matrix
from models.lean.table import KernelTable

if TYPE_CHECKING:
    from models.attention.calls import AttentionCall

_DTYPES = (torch.float32, torch.bfloat16)
_MOVING_ROPES = ("dynamic", "longrope")


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    before_attention: torch.Tensor
    query_key_value: Matrix
    output: Matrix
    before_mlp: torch.Tensor
    gate_up: Matrix
    down: Matrix


class LeanLlama:
    """What the modules of a Llama compute for a few tokens, in a tenth of the calls.

    Query, key and value are one product, gate and up another, and query and key are rotated together. What
    passes from layer to layer is float32, and the products have the form that `Matrix` picks. Each
    layer's attention is the caller's. It reads the modules' own weights; `stands_for` says whether these
    are still what the modules have.
    """

    def __init__(self, model: LlamaForCausalLM, table: KernelTable | None = None) -> None:
        """With `table`, products of few rows may be packed. Raises ValueError for `why_not`'s reason."""
        if reason := why_not(model):
            raise ValueError(reason)
        config = model.config
        self._heads = int(config.num_attention_heads)
        self._kv_heads = int(config.num_key_value_heads)
        self._dim = int(config.head_dim)
        self._epsilon = float(config.rms_norm_eps)
        self._dtype: torch.dtype = model.dtype
        self._rotary = model.model.rotary_emb
        self._embedding = model.model.embed_tokens.weight
        self._layers = [_layer(layer, table) for layer in model.model.layers]
        self._norm = model.model.norm.weight.float()
        self._head = Head(model.lm_head.weight, table)
        self._model = model
        # The modules' own tables: what is in them is looked at in every step, and attributes are slow.
        self._tables = [
            table for module in model.modules() for table in (module._modules, module._parameters) if table
        ]
        self._parts = [part for table in self._tables for part in table.values()]

    @property
    def packed_bytes(self) -> int:
        """Bytes that its packed matrices take besides the modules' weights."""
        return self._head.packed_bytes + sum(
            matrix.packed_bytes
            for layer in self._layers
            for matrix in (layer.query_key_value, layer.output, layer.gate_up, layer.down)
        )

    def stands_for(self, model: nn.Module) -> bool:
        """Whether the model has the modules and weights that this was built from.

        An adapter that wraps some, or replaces their weights, makes it False; weights that are changed in
        place are not noticed.
        """
        now = chain.from_iterable(map(dict.values, self._tables))
        return model is self._model and all(map(is_, now, self._parts))

    @torch.inference_mode()
    def __call__(self, ids: torch.Tensor, positions: torch.Tensor, call: AttentionCall) -> torch.Tensor:
        """Logits (rows, queries, vocabulary) behind `ids` (rows, queries) at `positions`, of the same shape.

        `call` attends: it has the keys of everything before, and keeps those of these tokens.
        """
        rows, queries = ids.shape
        hidden = embedding(ids.flatten(), self._embedding).float()
        cos, sin = self._turns(hidden, positions)
        for number, layer in enumerate(self._layers):
            qkv = layer.query_key_value(self._normed(hidden, layer.before_attention))
            query, key, value = self._heads_of(qkv, rows, queries, cos, sin)
            attended = call.attend(number, query, key, value, self._dim**-0.5)
            hidden += layer.output(attended.transpose(1, 2).reshape(rows * queries, -1))
            gate, up = layer.gate_up(self._normed(hidden, layer.before_mlp)).chunk(2, dim=-1)
            hidden += layer.down(silu(gate).mul_(up))
        return self._head(self._normed(hidden, self._norm)).view(rows, queries, -1)

    def _normed(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return rms_norm(hidden, weight.shape, weight, self._epsilon)

    def _turns(self, hidden: torch.Tensor, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines (tokens, 1, dim) by the model's own module; the first half of sines negated."""
        cos, sin = self._rotary(hidden, positions)
        half = self._dim // 2
        signed = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        return cos.reshape(-1, 1, self._dim), signed.reshape(-1, 1, self._dim)

    def _heads_of(
        self, qkv: torch.Tensor, rows: int, queries: int, cos: torch.Tensor, sin: torch.Tensor
    ) -> Sequence[torch.Tensor]:
        """Rotated query, rotated key and value (rows, heads, queries, dim) of one product (tokens, width)."""
        turned, half = self._heads + self._kv_heads, self._dim // 2
        every = qkv.view(-1, turned + self._kv_heads, self._dim)
        still = every[:, :turned]
        moved = (still * cos).add_(still.roll(half, dims=-1) * sin).to(self._dtype)
        parts = moved[:, : self._heads], moved[:, self._heads :], every[:, turned:].to(self._dtype)
        return [part.unflatten(0, (rows, queries)).transpose(1, 2) for part in parts]


def why_not(model: Any) -> str | None:
    """Why a model must go through its modules; None where `LeanLlama` computes the same."""
    if type(model) is not LlamaForCausalLM:
        return f"it is a {type(model).__name__}, not a Llama"
    config = model.config
    if model.device.type != "cpu" or model.dtype not in _DTYPES:
        return f"it runs in {model.dtype} on {model.device}"
    if config.hidden_act != "silu" or config.attention_bias or config.mlp_bias:
        return "it has biases, or another activation than SiLU"
    if (config.rope_parameters or {}).get("rope_type", "default") in _MOVING_ROPES:
        return "its rotary positions depend on the length of the text"
    kinds = {LlamaDecoderLayer, LlamaAttention, LlamaMLP, LlamaRMSNorm}
    layers = model.model.layers
    used = {type(part) for one in layers for part in (one, one.self_attn, one.mlp, one.input_layernorm)}
    linears = [linear for one in layers for linear in _linears_of(one)]
    if used != kinds or any(
        type(one) is not nn.Linear or one.bias is not None for one in (*linears, model.lm_head)
    ):
        return "some of its modules are not a Llama's own, such as an adapter's"
    return None


def _layer(layer: Any, table: KernelTable | None) -> _Layer:
    query, key, value, output, gate, up, down = (linear.weight for linear in _linears_of(layer))
    return _Layer(
        before_attention=layer.input_layernorm.weight.float(),
        query_key_value=Matrix.of([query, key, value], table),
        output=Matrix.of([output], table),
        before_mlp=layer.post_attention_layernorm.weight.float(),
        gate_up=Matrix.of([gate, up], table),
        down=Matrix.of([down], table),
    )


def _linears_of(layer: Any) -> list[Any]:
    attention, mlp = layer.self_attn, layer.mlp
    return [
        *(attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj),
        *(mlp.gate_proj, mlp.up_proj, mlp.down_proj),
    ]
