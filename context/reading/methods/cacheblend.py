"""CacheBlend: cached passages in a row, tokens that differ read again.

The first layers are read in sequence. Where a token's new key at the last of them is far from its cached
one, the passages before it have changed what it means: these tokens are read again in all layers.
"""

from __future__ import annotations

import math

import torch
from excerpta.types.reading import Cacheblend

from base.methods import Method
from context.encoding.recompute import reread
from context.reading.base import Reading, Task
from context.reading.placing import in_sequence
from context.writing.generation import ReadPrompt
from models.attention.blocks import Block
from models.attention.maps import first_layers

_CHECK_LAYER = 1


def read(task: Task, options: Cacheblend) -> ReadPrompt:
    """Reads the `recompute_share` of the passages' tokens again whose keys deviate most."""
    cached, ids = in_sequence(task), task.ids
    start = task.prefix.tokens
    between = ids[start : cached.tokens]
    places: list[int] = []
    if between:
        new = first_layers(task.lm, between, _CHECK_LAYER + 1, past=task.prefix)
        deviation = key_deviation(new.keys[_CHECK_LAYER], cached.keys[_CHECK_LAYER, :, start:])
        count = math.ceil(options.recompute_share * len(between))
        places = [start + int(at) for at in deviation.topk(count).indices]
        cached = _with_layers(cached, new, start)
    cache, logits = reread(task.lm, cached, ids, places, watch=(watch := task.watch()))
    return task.done(cache, logits, len(ids), watch=watch)


def key_deviation(new: torch.Tensor, cached: torch.Tensor) -> torch.Tensor:
    """The squared distance of each token's keys (heads, tokens, dim), summed over heads."""
    return (new.float() - cached.float()).square().sum(dim=(0, 2))


def _with_layers(cached: Block, new: Block, start: int) -> Block:
    """The first layers as they were just read, the others as they were cached."""
    layers = new.keys.shape[0]
    keys, values = cached.keys.clone(), cached.values.clone()
    keys[:layers, :, start:], values[:layers, :, start:] = new.keys, new.values
    return Block(keys, values)


METHOD = Method(
    Cacheblend,
    lambda networks: Reading(read, in_sequence=True),
    frozenset({"lm", "blocks"}),
    measured="NLL 3.46, F1 .040, 1,212 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
