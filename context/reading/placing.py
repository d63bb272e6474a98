"""Places cached passages in sequence: each block's keys are rotated to follow the block before it."""

from __future__ import annotations

from context.reading.base import Task
from models.attention.blocks import Block, join_blocks


def in_sequence(task: Task) -> Block:
    """Prefix and passages as one block at positions 0 and on, each passage's keys turned to its place."""
    offset, placed = 0, [task.prefix]
    for block in task.blocks:
        placed.append(task.rotation().move(block, offset))
        offset += block.tokens
    return join_blocks(placed)


def starts(task: Task) -> list[int]:
    """Where each passage begins in the whole prompt."""
    places, at = [], task.prefix.tokens
    for block in task.blocks:
        places.append(at)
        at += block.tokens
    return places
