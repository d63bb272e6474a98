"""APE's attention by its definitions: slow and obviously right. Tests compare the fast path with it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def ape_reference(
    query: Float64,
    prefix: tuple[Float64, Float64] | None,
    passages: Sequence[tuple[Float64, Float64]],
    own: tuple[Float64, Float64],
    *,
    temperature: float,
    scale: float,
    scaling: float,
    bias: float = 0.0,
    keep: int | None = None,
) -> Float64:
    """One head, one query at a time: two softmaxes and their weights, as the paper writes them.

    `bias` is added to the logarithm of the passages' weight; of the passages only the `keep` with the
    largest sum of exp(logits / T) are read.

    `query` (queries, dim); every run is (keys (n, dim), values (n, dim)); the queries are the last
    tokens of `own` and read it causally. Returns (queries, dim).
    """
    queries, own_tokens = len(query), len(own[0])
    rows = []
    for at, q in enumerate(query):
        seen = own_tokens - queries + at + 1
        others = [own[0][:seen]] + ([prefix[0]] if prefix else [])
        other_values = [own[1][:seen]] + ([prefix[1]] if prefix else [])
        output, lse = _softmax_attention(q, np.concatenate(others), np.concatenate(other_values), scaling)
        if passages:
            mass = [np.exp(keys @ q * scaling / temperature).sum() for keys, _ in passages]
            read = [passages[place] for place in np.argsort(mass)[::-1][:keep]]
            keys = np.concatenate([keys for keys, _ in read])
            values = np.concatenate([values for _, values in read])
            of_passages, passages_lse = _softmax_attention(q, keys, values, scaling / temperature)
            masses = np.array([scale * temperature * passages_lse + bias, lse])
            weights = np.exp(masses - masses.max())
            weights /= weights.sum()
            output = weights[0] * of_passages + weights[1] * output
        rows.append(output)
    return np.array(rows)


def _softmax_attention(q: Float64, keys: Float64, values: Float64, scaling: float) -> tuple[Float64, float]:
    logits = keys @ q * scaling
    top = logits.max()
    lse = float(top + np.log(np.exp(logits - top).sum()))
    return np.exp(logits - lse) @ values, lse


def rotated(keys: Float64, by: float, frequencies: Float64) -> Float64:
    """Keys (n, dim) moved by so many positions: each pair of halves is a complex number that turns."""
    half = len(frequencies)
    turned = (keys[:, :half] + 1j * keys[:, half : 2 * half]) * np.exp(1j * by * frequencies)
    return np.concatenate([turned.real, turned.imag, keys[:, 2 * half :]], axis=1)


def one_softmax(
    query: torch.Tensor,
    others: tuple[torch.Tensor, torch.Tensor],
    passages: tuple[torch.Tensor, torch.Tensor],
    mask: torch.Tensor,
    *,
    temperature: float,
    scale: float,
    scaling: float,
) -> torch.Tensor:
    """The same for whole tensors, as one softmax over all keys with a bias on the passages' logits.

    The bias is (S T - 1) LSE(passages), one number a query and head: not a constant, which is why S
    means something else for every model. `query` (batch, heads, queries, dim); `others` is prefix and
    own keys and values (batch, heads, n, dim), of which a query reads where `mask` (queries, n) is True.
    """
    logits = query @ passages[0].transpose(-1, -2) * (scaling / temperature)
    bias = (scale * temperature - 1) * torch.logsumexp(logits, dim=-1, keepdim=True)
    other = (query @ others[0].transpose(-1, -2) * scaling).masked_fill(~mask, float("-inf"))
    weights = torch.softmax(torch.cat([logits + bias, other], dim=-1), dim=-1)
    return weights @ torch.cat([passages[1], others[1]], dim=2)


def eager_maps(
    network: Any,
    ids: Sequence[int],
    positions: Sequence[int] | None = None,
    mask: torch.Tensor | None = None,
) -> Float64:
    """Attention (layers, heads, tokens, tokens) of a whole prompt by transformers' eager form in float64.

    `mask` (tokens, tokens) is True where a row may read; without it, the prompt is in sequence. The copy of
    `network` that computes it takes as much memory as two more models in float32.
    """
    twin = copy.deepcopy(network).double()
    twin.set_attn_implementation("eager")
    tokens = len(ids)
    seen = torch.ones(tokens, tokens, dtype=torch.bool).tril() if mask is None else mask
    output = twin(
        input_ids=torch.tensor([list(ids)]),
        position_ids=torch.tensor([list(range(tokens) if positions is None else positions)]),
        # Eager attention adds its mask to the logits.
        attention_mask=torch.zeros(1, 1, tokens, tokens, dtype=torch.float64).masked_fill(~seen, -torch.inf),
        output_attentions=True,
        use_cache=False,
    )
    weights: Float64 = torch.cat(output.attentions).detach().numpy()
    return weights
