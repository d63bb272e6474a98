"""The reference: one ordinary prompt, every passage after the one before it, at the full price."""

from __future__ import annotations

from excerpta.types.reading import Sequential
from transformers import DynamicCache

from base.methods import Method
from context.reading.base import Reading, Task
from context.writing import generation
from context.writing.generation import ReadPrompt


def read(task: Task, options: Sequential) -> ReadPrompt:
    """Reads everything in one call. Nothing is cached."""
    ids, cache, watch = task.ids, DynamicCache(), task.watch()
    logits = generation.read(task.lm, ids, 0, cache, watch=watch)
    return task.done(cache, logits, len(ids), watch=watch)


METHOD = Method(
    Sequential,
    lambda networks: Reading(read, in_sequence=True, blocks=False),
    frozenset({"lm"}),
    measured="NLL 3.10, F1 .055, 3,283 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
