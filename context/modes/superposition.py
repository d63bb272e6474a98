"""Superposition (Merth et al. 2024, arXiv 2404.06910): one path a passage, and only the likely ones go on.

A path is prefix, one passage, question. How likely the question is at its end says, by Bayes' rule and
with passages alike at first, how likely the passage is the one asked about. Prefix and passage come out
of the store, so ranking known passages costs the question's tokens alone, all paths in a few calls.

Differences from the paper: paths keep their own positions, because the spacing that makes all end at one
place depends on the other passages, and nothing could be reused; the likelihood of the passages
themselves is left out for the same reason (it ranks texts by how usual they are); and the question is
read once over the paths that are left, by APE, instead of being copied into each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import DynamicCache

from context.attention import ApeCall
from context.blocks import Block
from context.generation import ReadPrompt
from context.modes.parallel import side_by_side
from context.modes.task import Task
from models.language_model import LanguageModel

KEEP = 2
"""Of 10 passages; more bring the distractors back (docs/adr/0007-context-modes.md)."""


def superposition(task: Task) -> ReadPrompt:
    """APE over the `keep` passages after which the question is likeliest; the others weigh nothing."""
    chosen = task.settings
    saliency = path_saliency(task.lm, task.prefix, task.blocks, task.tail, task.asked)
    best = sorted(range(len(saliency)), key=lambda at: (-saliency[at], at))[: chosen.keep or KEEP]
    return side_by_side(
        task,
        temperature=chosen.temperature,
        scale=chosen.scale,
        bias=chosen.bias,
        read_only=sorted(best),
        saliency=saliency,
    )


def path_saliency(
    lm: LanguageModel,
    prefix: Block,
    blocks: Sequence[Block],
    tail: Sequence[int],
    asked: range,
    *,
    batch_tokens: int = 8192,
) -> list[float]:
    """Mean log p of the tokens `asked` of the tail after prefix and each passage, one number a passage.

    Passages of similar length share a call that reads over at most `batch_tokens` of them, padding included.
    """
    order = sorted(range(len(blocks)), key=lambda at: blocks[at].tokens)
    found: dict[int, float] = {}
    while order:
        rows = max(1, batch_tokens // max(1, blocks[order[-1]].tokens))
        batch, order = order[-rows:], order[:-rows]
        found.update(zip(batch, _score(lm, prefix, [blocks[at] for at in batch], tail, asked), strict=True))
    return [found[at] for at in range(len(blocks))]


@torch.inference_mode()
def _score(
    lm: LanguageModel, prefix: Block, blocks: Sequence[Block], tail: Sequence[int], asked: range
) -> list[float]:
    """One call: a row a passage, whose keys are padded on the left, where the mask hides them."""
    read = list(tail[: asked.stop - 1])
    longest = max(block.tokens for block in blocks)
    sizes = torch.tensor([block.tokens for block in blocks], device=lm.device)
    own = torch.ones(len(read), len(read), dtype=torch.bool, device=lm.device).tril()
    there = torch.arange(longest, device=lm.device) >= longest - sizes[:, None]
    mask = torch.cat(
        [
            there[:, None].expand(-1, len(read), -1),
            own.expand(len(blocks), -1, -1),
        ],
        dim=-1,
    )
    output = lm.model(
        input_ids=torch.tensor([read], device=lm.device).expand(len(blocks), -1),
        position_ids=prefix.tokens + sizes[:, None] + torch.arange(len(read), device=lm.device),
        attention_mask=mask[:, None],
        past_key_values=_padded(blocks, longest),
        use_cache=True,
        logits_to_keep=torch.arange(asked.start - 1, asked.stop - 1, device=lm.device),
        ape=ApeCall.over(prefix, ()),
    )
    wanted = torch.tensor([tail[at] for at in asked], device=lm.device).expand(len(blocks), -1)
    log_p = torch.log_softmax(output.logits.float(), dim=-1).gather(-1, wanted[..., None])[..., 0]
    return [float(value) for value in log_p.mean(dim=-1)]


def _padded(blocks: Sequence[Block], longest: int) -> DynamicCache:
    layers, heads, _, dim = blocks[0].keys.shape
    both = []
    for name in ("keys", "values"):
        part: torch.Tensor = getattr(blocks[0], name)
        whole = part.new_zeros(layers, len(blocks), heads, longest, dim)
        for row, block in enumerate(blocks):
            whole[:, row, :, longest - block.tokens :] = getattr(block, name)
        both.append(whole)
    return DynamicCache(list(zip(*both, strict=True)))
