"""Moved keys against their definition, and against the same tokens read at the other place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DynamicCache

from models.attention.blocks import Block
from models.attention.calls import enable_ape
from models.attention.reference import rotated
from models.attention.rotation import Rotation, turn
from models.errors import UnsupportedModel

FREQUENCIES = 10000.0 ** (-torch.arange(0, 1, 1 / 8))


@given(st.integers(0, 99), st.integers(-3000, 3000), st.sampled_from([16, 20]))
def test_equals_the_complex_definition(seed, by, dim):
    keys = torch.randn(5, dim, generator=torch.Generator().manual_seed(seed))
    wanted = rotated(keys.double().numpy(), by, FREQUENCIES.double().numpy())
    np.testing.assert_allclose(turn(keys, by, FREQUENCIES).numpy(), wanted, atol=1e-5)


@given(st.integers(0, 99), st.integers(-2000, 2000), st.integers(-2000, 2000))
def test_rotations_add_up(seed, a, b):
    keys = torch.randn(2, 3, 4, 16, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        turn(turn(keys, a, FREQUENCIES), b, FREQUENCIES), turn(keys, a + b, FREQUENCIES), atol=1e-5, rtol=0
    )


@given(st.integers(0, 99), st.integers(0, 2000), st.integers(0, 500))
def test_only_the_distance_counts(seed, p, by):
    draw = torch.Generator().manual_seed(seed)
    query, key = torch.randn(2, 16, generator=draw)
    here = turn(query, p + 9, FREQUENCIES) @ turn(key, p, FREQUENCIES)
    there = turn(query, p + by + 9, FREQUENCIES) @ turn(key, p + by, FREQUENCIES)
    assert float(here) == pytest.approx(float(there), abs=1e-4)


def test_bfloat16_is_rounded_once():
    keys = torch.randn(2, 3, 40, 16, generator=torch.Generator().manual_seed(1))
    got = turn(keys.bfloat16(), 777, FREQUENCIES)
    assert got.dtype == torch.bfloat16
    assert (got.float() - turn(keys, 777, FREQUENCIES)).abs().max() < 0.01 * keys.abs().max() * 2


def read_at(lm, start):
    """Keys and values of four tokens with nothing before them."""
    cache = DynamicCache()
    with torch.inference_mode():
        lm.model.base_model(
            input_ids=torch.tensor([[50, 51, 52, 53]]),
            position_ids=torch.arange(start, start + 4)[None],
            past_key_values=cache,
            use_cache=True,
        )
    return Block(
        torch.cat([one.keys for one in cache.layers]), torch.cat([one.values for one in cache.layers])
    )


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "default", "rope_theta": 10000.0},
        {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
        {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0, "original_max_position_embeddings": 512},
    ],
)
def test_a_moved_block_is_the_block_read_there(make_tiny, rope):
    lm = make_tiny(rope_parameters=rope)
    enable_ape(lm)
    here, there = read_at(lm, 3), read_at(lm, 140)
    before = here.keys.clone()
    moved = Rotation(lm).move(here, 137)
    torch.testing.assert_close(moved.keys, there.keys, atol=1e-3, rtol=0)
    torch.testing.assert_close(moved.values, there.values, atol=1e-3, rtol=0)
    assert torch.equal(here.keys, before)
    assert moved.values is here.values
    assert Rotation(lm).move(here, 0) is here


def test_unknown_layouts_are_refused(make_tiny):
    lm = make_tiny()
    rotary = lm.model.base_model.rotary_emb
    true = rotary.inv_freq.clone()
    rotary.register_buffer("inv_freq", true, persistent=False)
    rotation = Rotation(lm)
    assert rotation is not None

    class Moved(torch.nn.Module):
        inv_freq = true * 3

        def forward(self, *args, **kwargs):
            return rotary(*args, **kwargs)

    lm.model.base_model.rotary_emb = Moved()
    with pytest.raises(UnsupportedModel, match="layout"):
        Rotation(lm)
    lm.model.base_model.rotary_emb = None
    with pytest.raises(UnsupportedModel, match="frequencies"):
        Rotation(lm)
