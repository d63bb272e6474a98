"""EPIC: cached passages in a row, each passage's beginning read again.

A passage that was encoded alone takes its first tokens for the beginning of everything and puts far too
much attention on them. Read again in their place, they are ordinary tokens. The cost grows with the
number of passages, not with their lengths.
"""

from __future__ import annotations

from excerpta.types.reading import Epic

from base.methods import Method
from context.encoding.recompute import reread
from context.reading.base import Reading, Task
from context.reading.placing import in_sequence, starts
from context.writing.generation import ReadPrompt


def read(task: Task, options: Epic) -> ReadPrompt:
    """Reads the first `recompute_tokens` of each passage again; the first passage already is in its place."""
    places = [
        place
        for start, block in list(zip(starts(task), task.blocks, strict=True))[1:]
        for place in range(start, start + min(options.recompute_tokens, block.tokens))
    ]
    ids = task.ids
    cache, logits = reread(task.lm, in_sequence(task), ids, places, watch=(watch := task.watch()))
    return task.done(cache, logits, len(ids), watch=watch)


METHOD = Method(
    Epic,
    lambda networks: Reading(read, in_sequence=True),
    frozenset({"lm", "blocks"}),
    measured="NLL 3.54, F1 .061, 702 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
