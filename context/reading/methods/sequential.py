"""The reference: one ordinary prompt, every passage after the one before it, at the full price."""

from __future__ import annotations

from transformers import DynamicCache

from context.reading.base import Task
from context.writing.generation import ReadPrompt, read


def sequential(task: Task) -> ReadPrompt:
    """Reads everything in one call. Nothing is cached."""
    ids, cache, watch = task.ids, DynamicCache(), task.watch()
    logits = read(task.lm, ids, 0, cache, watch=watch)
    return task.done(cache, logits, len(ids), watch=watch)
