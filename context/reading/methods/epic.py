"""EPIC (Hu et al. 2024, arXiv 2410.15332): cached passages in a row, each passage's beginning read again.

A passage that was encoded alone takes its first tokens for the beginning of everything and puts far too
much attention on them. Read again in their place, they are ordinary tokens. The cost grows with the
number of passages, not with their lengths.
"""

from __future__ import annotations

from context.encoding.recompute import reread
from context.reading.base import Task
from context.reading.placing import in_sequence, starts
from context.writing.generation import ReadPrompt


def epic(task: Task) -> ReadPrompt:
    """Reads the first `recompute_tokens` of each passage again; the first passage already is in its place."""
    places = [
        place
        for start, block in list(zip(starts(task), task.blocks, strict=True))[1:]
        for place in range(start, start + min(task.settings.recompute_tokens, block.tokens))
    ]
    ids = task.ids
    cache, logits = reread(task.lm, in_sequence(task), ids, places, watch=(watch := task.watch()))
    return task.done(cache, logits, len(ids), watch=watch)
