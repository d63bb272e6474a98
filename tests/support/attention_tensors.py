"""Random queries, keys and values of one layer, and the call that reads them."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from hypothesis import strategies as st

from models.attention.calls import ApeCall, ape_attention

SIZES = st.fixed_dictionaries({name: st.integers(1, 7) for name in ("prefix", "one", "two", "queries")})
POLICIES = [{}, {"bias": -1.3}, {"bias": 0.7, "keep": 1}, {"keep": 2}]
MODULE = SimpleNamespace(layer_idx=0)


def draw(seed: int, heads: int, kv_heads: int, sizes: dict[str, int], dim: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"query": (1, heads, sizes["queries"], dim)}
    for name in ("prefix", "one", "two", "own"):
        shapes[f"{name}_k"] = shapes[f"{name}_v"] = (1, kv_heads, sizes[name], dim)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def call(t: dict[str, torch.Tensor], temperature: float, scale: float, **policy: object) -> ApeCall:
    return ApeCall(
        prefix=((t["prefix_k"], t["prefix_v"]),),
        passages=(((t["one_k"], t["one_v"]),), ((t["two_k"], t["two_v"]),)),
        temperature=temperature,
        scale=scale,
        **policy,
    )


def run(t: dict[str, torch.Tensor], ape: ApeCall, mask: torch.Tensor | None = None) -> torch.Tensor:
    return ape_attention(MODULE, t["query"], t["own_k"], t["own_v"], mask, scaling=0.3, ape=ape)[0]
