"""The attention function against its float64 definition, its twin and its algebra."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attention import kernels
from models.attention.calls import NAME, ApeCall, ape_attention, enable_ape, merge
from models.attention.kernels import bfloat16_partial, cpu_partial, eager_partial, partial_attention
from models.attention.reference import ape_reference, one_softmax
from models.attention.watch import AttentionWatch
from models.attention.weights import attention_weights
from models.errors import UnsupportedModel
from tests.support.attention_tensors import MODULE, POLICIES, SIZES, call, draw, run
from tests.support.speeds import examples


def reference(t: dict[str, torch.Tensor], temperature: float, scale: float, **policy: object) -> np.ndarray:
    group = t["query"].shape[1] // t["own_k"].shape[1]
    heads = []
    for head in range(t["query"].shape[1]):
        side = {
            name: x[0, head if name == "query" else head // group].double().numpy() for name, x in t.items()
        }
        heads.append(
            ape_reference(
                side["query"],
                (side["prefix_k"], side["prefix_v"]),
                [(side["one_k"], side["one_v"]), (side["two_k"], side["two_v"])],
                (side["own_k"], side["own_v"]),
                temperature=temperature,
                scale=scale,
                scaling=0.3,
                **policy,
            )
        )
    return np.stack(heads, axis=1)


@settings(max_examples=examples(40))
@given(
    st.integers(0, 2**16),
    SIZES,
    st.integers(0, 5),
    st.sampled_from([(1, 1), (4, 2), (6, 2)]),
    st.floats(0.4, 1.5),
    st.floats(0.4, 1.5),
    st.sampled_from(POLICIES),
    st.booleans(),
)
def test_equals_the_float64_definition(seed, sizes, before, heads, temperature, scale, policy, cpu):
    t = draw(seed, *heads, {**sizes, "own": sizes["queries"] + before}, 8)
    kernel, kernels._CPU_KERNEL = kernels._CPU_KERNEL, cpu and kernels._CPU_KERNEL
    try:
        got = run(t, call(t, temperature, scale, **policy))[0].numpy()
    finally:
        kernels._CPU_KERNEL = kernel
    np.testing.assert_allclose(got, reference(t, temperature, scale, **policy), atol=2e-5)


@pytest.mark.parametrize(("temperature", "scale"), [(1, 1), (0.9, 0.9), (0.5, 0.7), (1.3, 1.1)])
def test_equals_one_softmax_with_a_bias(temperature, scale):
    t = draw(3, 4, 4, {"queries": 3, "prefix": 4, "one": 9, "two": 5, "own": 6}, 8)
    others = tuple(torch.cat([t[f"prefix_{part}"], t[f"own_{part}"]], 2) for part in "kv")
    passages = tuple(torch.cat([t[f"one_{part}"], t[f"two_{part}"]], 2) for part in "kv")
    mask = torch.ones(3, 10, dtype=torch.bool).tril(7)
    twin = one_softmax(
        t["query"], others, passages, mask, temperature=temperature, scale=scale, scaling=0.3
    ).transpose(1, 2)
    torch.testing.assert_close(run(t, call(t, temperature, scale)), twin, atol=1e-5, rtol=0)


def test_scale_one_over_temperature_is_keys_divided_by_temperature():
    t = draw(4, 4, 2, {"queries": 2, "prefix": 3, "one": 6, "two": 6, "own": 2}, 8)
    scaled = {**t, "one_k": t["one_k"] / 0.7, "two_k": t["two_k"] / 0.7}
    torch.testing.assert_close(
        run(t, call(t, 0.7, 1 / 0.7)), run(scaled, call(scaled, 1, 1)), atol=1e-5, rtol=0
    )


def test_a_constant_bias_is_shift_invariant_and_a_scale_is_not():
    """A constant added to every logit changes no softmax; S reads it as more weight for the passages."""
    t = draw(9, 2, 2, {"queries": 2, "prefix": 3, "one": 6, "two": 6, "own": 2}, 8)
    keys = [name for name in t if name.endswith("_k")]
    # One more dimension in which every query is 1 and every key is c adds c to every logit.
    shifted = {
        name: torch.nn.functional.pad(x, (0, 1), value=4.0 / 0.3 if name in keys else 1.0)
        for name, x in t.items()
    }
    for policy, invariant in (((1.0, 1.0, -0.8), True), ((1.0, 0.8, 0.0), False)):
        ape = {name: call(x, *policy[:2], bias=policy[2]) for name, x in (("t", t), ("s", shifted))}
        moved = (run(shifted, ape["s"])[..., :8] - run(t, ape["t"])).abs().max()
        assert (moved < 1e-4) == invariant


def test_a_bias_of_minus_log_m_is_structured_prompting():
    """M exp(q k) for the prompt's own keys among M groups is -log M on the groups."""
    t = draw(10, 2, 2, {"queries": 1, "prefix": 3, "one": 5, "two": 4, "own": 2}, 8)
    got = run(t, call(t, 1.0, 1.0, bias=-math.log(2)))[0, 0]
    own = torch.cat([t["prefix_k"], t["own_k"]], 2)
    groups = torch.cat([t["one_k"], t["two_k"]], 2)
    logits = t["query"] @ torch.cat([own, groups], 2).transpose(-1, -2) * 0.3
    weights = logits.exp() * torch.tensor([2.0] * own.shape[2] + [1.0] * groups.shape[2])
    values = torch.cat([t[f"{name}_v"] for name in ("prefix", "own", "one", "two")], 2)
    wanted = (weights / weights.sum(-1, keepdim=True)) @ values
    torch.testing.assert_close(got, wanted[0, :, 0], atol=1e-5, rtol=0)


def test_frozen_runs_equal_concatenated_ones():
    t = draw(5, 4, 2, {"queries": 2, "prefix": 3, "one": 6, "two": 4, "own": 2}, 8)
    joined = ApeCall(
        prefix=((t["prefix_k"], t["prefix_v"]),),
        passages=(((torch.cat([t["one_k"], t["two_k"]], 2), torch.cat([t["one_v"], t["two_v"]], 2)),),),
        temperature=0.7,
        scale=0.9,
    )
    torch.testing.assert_close(run(t, joined), run(t, call(t, 0.7, 0.9)), atol=1e-6, rtol=0)


def test_bfloat16_is_float32_rounded():
    t = draw(6, 4, 2, {"queries": 3, "prefix": 3, "one": 60, "two": 40, "own": 3}, 16)
    half = {name: x.bfloat16() for name, x in t.items()}
    got = run(half, call(half, 0.75, 0.9))
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), run(t, call(t, 0.75, 0.9)), atol=3e-2, rtol=0)


@pytest.mark.skipif(not kernels._CPU_KERNEL, reason="this PyTorch lacks the CPU kernel")
@settings(max_examples=examples(30))
@given(
    st.integers(0, 999),
    st.integers(1, 5),
    st.integers(0, 30),
    st.booleans(),
    st.sampled_from([8, 16, 24, 64]),
)
def test_cpu_kernel_equals_the_eager_form(seed, queries, before, causal, dim):
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(2, 4, queries, dim, generator=generator)
    key, value = torch.randn(2, 2, 2, queries + before, dim, generator=generator)
    for got, wanted in zip(
        cpu_partial(query, key, value, 0.2, causal=causal),
        eager_partial(query, key, value, 0.2, causal=causal),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=0)


@settings(max_examples=examples(30))
@given(
    st.integers(0, 999),
    st.integers(1, 40),
    st.integers(1, 700),
    st.sampled_from([(1, 1), (4, 2), (6, 2)]),
    st.floats(0.1, 0.5),
)
def test_bfloat16_products_equal_the_eager_form(seed, queries, keys, heads, scaling):
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(2, queries, heads[0], 64, generator=generator).bfloat16().transpose(1, 2)
    key, value = torch.randn(2, 2, heads[1], keys, 64, generator=generator).bfloat16()
    output, lse = bfloat16_partial(query, key, value, scaling)
    wanted, wanted_lse = eager_partial(query, key, value, scaling)
    assert (output.dtype, lse.dtype) == (torch.bfloat16, torch.float32)
    # Half a step of bfloat16 of the largest logits, twice: about .06 of 16 and more, times the scaling.
    torch.testing.assert_close(lse, wanted_lse, atol=0.13 * scaling, rtol=0)
    torch.testing.assert_close(output.float(), wanted, atol=0.1, rtol=0)


def test_bfloat16_products_are_taken_where_the_processor_has_them(monkeypatch):
    taken = []
    monkeypatch.setattr(kernels, "bfloat16_partial", lambda *given: taken.append(given))
    query, key = torch.zeros(1, 4, 100, 8), torch.zeros(1, 2, 200, 8)
    for has in (False, True):
        monkeypatch.setattr(kernels, "_multiplies_bfloat16", lambda has=has: has)
        partial_attention(query, key, key, 1.0)
        partial_attention(query.bfloat16(), key.bfloat16(), key.bfloat16(), 1.0)
        partial_attention(query[:, :, :1].bfloat16(), key.bfloat16(), key.bfloat16(), 1.0)
        partial_attention(query.bfloat16(), key[:, :, :100].bfloat16(), key[:, :, :100].bfloat16(), 1.0)
        partial_attention(query.bfloat16(), key.bfloat16(), key.bfloat16(), 1.0, causal=True)
        assert len(taken) == has


def test_a_mask_is_honoured_and_batches_share_frozen_runs():
    t = draw(8, 4, 2, {"queries": 3, "prefix": 3, "one": 4, "two": 4, "own": 5}, 8)
    pair = {
        name: torch.cat([x, x.flip(2)]) if name in ("query", "own_k", "own_v") else x for name, x in t.items()
    }
    mask = torch.ones(2, 1, 3, 5, dtype=torch.bool).tril(2)
    mask[1, :, :, 0] = False
    both = run(pair, call(t, 0.8, 0.9), mask)
    torch.testing.assert_close(both[:1], run(t, call(t, 0.8, 0.9)), atol=1e-6, rtol=0)
    short = {
        **t,
        "query": pair["query"][1:],
        "own_k": pair["own_k"][1:, :, 1:],
        "own_v": pair["own_v"][1:, :, 1:],
    }
    torch.testing.assert_close(both[1:], run(short, call(t, 0.8, 0.9)), atol=1e-6, rtol=0)


@pytest.mark.parametrize("policy", [{}, {"bias": 0.9}, {"keep": 1}])
def test_statistics_are_those_of_the_attention_that_was_computed(policy):
    t = draw(11, 4, 2, {"queries": 3, "prefix": 3, "one": 6, "two": 4, "own": 5}, 8)
    ape = call(t, 0.7, 0.9, **policy)
    weights = attention_weights(0, t["query"], t["own_k"], ape, 0.3, rows=[2])[0, :, 0]
    watch = AttentionWatch([6, 4])
    ape_attention(MODULE, t["query"], t["own_k"], t["own_v"], None, scaling=0.3, ape=ape, watch=watch)
    wanted = -(weights * weights.clamp_min(1e-30).log()).sum(-1).mean()
    assert watch.entropy == pytest.approx(float(wanted), abs=1e-5)
    assert watch.shares == pytest.approx(
        [float(weights[:, 3:9].sum(-1).mean()), float(weights[:, 9:13].sum(-1).mean())]
    )


def test_statistics_of_ordinary_attention():
    t = draw(12, 2, 2, {"queries": 1, "prefix": 1, "one": 1, "two": 1, "own": 7}, 8)
    watch = AttentionWatch()
    ape_attention(MODULE, t["query"] * 0, t["own_k"], t["own_v"], None, scaling=0.3, watch=watch)
    assert watch.entropy == pytest.approx(np.log(7), abs=1e-5)
    assert watch.shares == []


def test_merging_is_associative():
    parts = [(torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3)) for _ in range(3)]
    left = merge([merge(parts[:2]), parts[2]])
    for got, wanted in zip(merge(parts), left, strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("name", ["softcap", "sliding_window", "s_aux"])
def test_what_ape_cannot_honour_is_refused(name):
    t = draw(1, 2, 2, {"queries": 1, "prefix": 1, "one": 1, "two": 1, "own": 1}, 8)
    with pytest.raises(UnsupportedModel, match=name):
        ape_attention(MODULE, t["query"], t["own_k"], t["own_v"], None, ape=ApeCall(), **{name: 8.0})


def test_architectures_that_cannot_do_it_are_refused(tiny, make_tiny):
    enable_ape(tiny)
    assert tiny.model.config._attn_implementation == NAME
    assert "flash" not in NAME
    moving = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    with pytest.raises(UnsupportedModel, match="rotary"):
        enable_ape(make_tiny(rope_parameters=moving))

    class Fake:
        name = "fake"
        full_attention = False
        model = SimpleNamespace(_supports_attention_backend=True, config=SimpleNamespace())

    with pytest.raises(UnsupportedModel, match="sliding"):
        enable_ape(Fake())
    Fake.full_attention = True
    Fake.model.config.attn_logit_softcapping = 50.0
    with pytest.raises(UnsupportedModel, match="soft-capped"):
        enable_ape(Fake())
    Fake.model._supports_attention_backend = False
    with pytest.raises(UnsupportedModel, match="registered"):
        enable_ape(Fake())
