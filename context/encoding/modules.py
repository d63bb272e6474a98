"""Reads prompt modules from the prefix store, so that only new parts of a prompt are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from transformers import DynamicCache

from context.prefix_store import PrefixStore
from context.prompts.schema import ModuleIds, TextRun
from models.attention.blocks import Block, join_blocks
from models.attention.calls import ApeCall
from models.attention.rotation import Rotation
from models.networks.language_model import LanguageModel

Fetch: TypeAlias = Callable[[Sequence[list[int]]], tuple[Sequence[Block], Sequence[bool]]]
"""Blocks of token ids behind the shared prefix, each as if it were alone, and which were there already."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadModules:
    """The shared prefix with the modules behind it, as one block of positions 0 and on.

    `tokens` of modules were read, `cached` of them out of the store; `new` are arguments and the like.
    """

    prefix: Block
    tokens: int
    cached: int
    new: int


def read_modules(
    lm: LanguageModel,
    rotation: Rotation,
    prefix: Block,
    prompt: ModuleIds,
    closing: Sequence[int],
    fetch: Fetch,
) -> ReadModules:
    """Reads modules behind `prefix`, then `closing`, the service's own words that follow them.

    Modules do not see each other. Arguments and closing see all modules, at any position.
    """
    held = _placeholder(lm)
    blocks, cached = fetch([[held if token is None else token for token in ids] for ids in prompt.modules])
    parts = [prefix]
    new: list[int] = []
    places: list[int] = []
    at = prefix.tokens
    for run in prompt.runs:
        if isinstance(run, TextRun):
            part = _cut(blocks[run.module].to(lm.device), run.start, run.stop)
            parts.append(rotation.move(part, at - prefix.tokens - run.start))
            at += run.stop - run.start
        else:
            new += run
            places += range(at, at + len(run))
            at += len(run)
    new += closing
    places += range(at, at + len(closing))
    known = join_blocks(parts)
    whole = join_blocks([known, _read(lm, known, new, places)]) if new else known
    sizes = [sum(token is not None for token in ids) for ids in prompt.modules]
    there = sum(size for size, hit in zip(sizes, cached, strict=True) if hit)
    return ReadModules(whole, sum(sizes), there, len(new))


def forget_modules(store: PrefixStore, document: str, salt: bytes) -> int:
    """Deletes the blocks of a prompt's modules under this salt from every tier; returns how many."""
    return store.delete_documents(salt, [document])


@torch.inference_mode()
def _read(lm: LanguageModel, before: Block, ids: Sequence[int], positions: Sequence[int]) -> Block:
    cache = DynamicCache()
    lm.model.base_model(
        input_ids=torch.tensor([list(ids)], device=lm.device),
        position_ids=torch.tensor([list(positions)], device=lm.device),
        past_key_values=cache,
        use_cache=True,
        ape=ApeCall.over(before, ()),
    )
    keys = torch.cat([layer.keys for layer in cache.layers])
    return Block(keys, torch.cat([layer.values for layer in cache.layers]))


def _cut(block: Block, start: int, stop: int) -> Block:
    return Block(block.keys[:, :, start:stop], block.values[:, :, start:stop])


def _placeholder(lm: LanguageModel) -> int:
    """The placeholder tokens of a parameter while its module is encoded."""
    known = (lm.tokenizer.unk_token_id, lm.tokenizer.pad_token_id, *sorted(lm.eos_ids))
    return next(int(token) for token in known if token is not None)
