"""Passages laid behind each other a layer at a time read as one run, and are left as they were."""

from __future__ import annotations

import pytest
import torch

from models.attention.blocks import Block, join_blocks
from models.attention.calls import ApeCall, frozen_partial, passages_partial
from models.attention.key_scratch import KeyScratch


def blocks_of(*sizes: int, dtype: torch.dtype = torch.float32) -> list[Block]:
    draw = torch.Generator().manual_seed(sum(sizes))
    return [Block(*torch.randn(2, 3, 2, size, 8, generator=draw).to(dtype)) for size in sizes]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("queries", [1, 5])
def test_passages_laid_out_by_layer_are_read_as_if_joined(dtype, queries):
    blocks = blocks_of(4, 1, 7, dtype=dtype)
    query = torch.randn(1, 6, queries, 8).to(dtype)
    call = ApeCall.over(None, blocks, temperature=0.8, scale=0.9, bias=0.1)
    for layer in (0, 1, 2, 0):
        run = join_blocks(blocks).layers()[layer]
        output, lse = frozen_partial(query, run, 0.3 / 0.8)
        got, got_lse = passages_partial(query, call, layer, 0.3)
        assert torch.equal(got, output)
        assert torch.equal(got_lse, lse * (0.9 * 0.8) + 0.1)
        for part, wanted in zip(
            passages_partial(query, call.for_writing(), layer, 0.3), (got, got_lse), strict=True
        ):
            assert torch.equal(part, wanted)


def test_what_is_laid_out_lies_where_the_last_layer_lay_and_never_in_a_block():
    runs = [block.layers() for block in blocks_of(3, 2)]
    before = [keys.clone() for run in runs for keys, _ in run]
    bench = KeyScratch()
    places = {bench.lay_out([run[layer] for run in runs])[0].data_ptr() for layer in range(3)}
    assert len(places) == 1
    assert places.isdisjoint(keys.data_ptr() for run in runs for keys, _ in run)
    assert all(map(torch.equal, before, [keys for run in runs for keys, _ in run]))
    assert bench.lay_out([runs[0][1]]) is runs[0][1]


def test_a_call_may_be_used_in_inference_mode_and_outside():
    runs = [block.layers()[0] for block in blocks_of(3, 2)]
    bench = KeyScratch()
    with torch.inference_mode():
        inside = bench.lay_out(runs)[0].clone()
    assert torch.equal(bench.lay_out(runs)[0], inside)


def test_passages_that_compete_for_each_query_stay_apart():
    call = ApeCall.over(None, blocks_of(3, 2, 4), keep=2)
    assert call.for_writing() is call
    everything = ApeCall.over(None, blocks_of(3, 2, 4), keep=3).for_writing()
    assert [len(run) for run in everything.passages] == [3]
