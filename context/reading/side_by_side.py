"""Reads passages in parallel: the same blocks at the same positions, in any order.

The methods that use it differ in the weight of the passages against the question and each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import DynamicCache

from context.reading.base import Task
from context.writing.generation import ReadPrompt, read
from models.attention.calls import ApeCall


def side_by_side(
    task: Task,
    *,
    temperature: float = 1.0,
    scale: float = 1.0,
    bias: float = 0.0,
    keep: int | None = None,
    read_only: Sequence[int] | None = None,
    saliency: Sequence[float] = (),
) -> ReadPrompt:
    """Reads the tail over the passages' blocks, or over those named in `read_only`."""
    seen = range(len(task.blocks)) if read_only is None else read_only
    blocks = [task.blocks[at] for at in seen]
    call = ApeCall.over(task.prefix, blocks, temperature=temperature, scale=scale, bias=bias, keep=keep)
    # Behind the longest of all passages, read or not: what is left out moves nothing.
    position = task.prefix.tokens + max((len(text) for text in task.texts), default=0)
    cache, watch = DynamicCache(), task.watch([block.tokens for block in blocks])
    logits = read(task.lm, list(task.tail), position, cache, ape=call, watch=watch)
    return task.done(
        cache, logits, position + len(task.tail), ape=call, watch=watch, read=seen, saliency=saliency
    )
