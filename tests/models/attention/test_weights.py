"""Weights of chosen rows and heads: times the values they are the attention that the kernels compute."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attention.weights import attention_weights
from tests.support.attention_tensors import POLICIES, SIZES, call, draw, run
from tests.support.speeds import examples


def weights_of(t, ape, **chosen):
    return attention_weights(0, t["query"], t["own_k"], ape, 0.3, **chosen)


@settings(max_examples=examples(60))
@given(
    st.integers(0, 2**16),
    SIZES,
    st.integers(0, 5),
    st.sampled_from([(1, 1), (4, 2), (6, 2), (3, 3)]),
    st.floats(0.4, 1.5),
    st.floats(0.4, 1.5),
    st.sampled_from(POLICIES),
)
def test_weights_times_values_are_the_attention(seed, sizes, before, heads, temperature, scale, policy):
    t = draw(seed, *heads, {**sizes, "own": sizes["queries"] + before}, 8)
    ape = call(t, temperature, scale, **policy)
    weights = weights_of(t, ape)
    values = torch.cat([t[f"{name}_v"] for name in ("prefix", "one", "two", "own")], 2)
    output = weights @ values.repeat_interleave(heads[0] // heads[1], dim=1)
    torch.testing.assert_close(run(t, ape), output.transpose(1, 2), atol=2e-5, rtol=0)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:3]))


@settings(max_examples=examples(30))
@given(st.integers(0, 99), st.lists(st.integers(0, 5), max_size=7), st.lists(st.integers(0, 3), max_size=5))
def test_chosen_heads_and_rows_are_cut_from_the_whole(seed, heads, rows):
    t = draw(seed, 6, 2, {"queries": 4, "prefix": 2, "one": 3, "two": 2, "own": 6}, 8)
    ape = call(t, 0.7, 0.9)
    cut = weights_of(t, ape)[:, heads][:, :, rows]
    torch.testing.assert_close(weights_of(t, ape, heads=heads, rows=rows), cut, atol=1e-6, rtol=0)


def test_a_row_reads_no_later_key():
    t = draw(1, 4, 2, {"queries": 3, "prefix": 1, "one": 1, "two": 1, "own": 5}, 8)
    weights = weights_of(t, None)
    assert weights.dtype == torch.float32
    assert (weights[:, :, 0, 3:] == 0).all()
    assert (weights[:, :, 1, 4:] == 0).all()
    assert (weights[:, :, 2] > 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    t = {name: x.to(dtype) for name, x in draw(2, 4, 2, dict.fromkeys(SIZE_NAMES, 3), 8).items()}
    whole = {name: x.float() for name, x in t.items()}
    torch.testing.assert_close(weights_of(t, call(t, 1, 1)), weights_of(whole, call(whole, 1, 1)))


SIZE_NAMES = ("queries", "prefix", "one", "two", "own")
