"""The entropy guard (Zhang et al. 2025, arXiv 2412.16545): fewer passages for each query, less spread.

Every query of every head reads only the `keep` passages it attends to most, and its attention is
normalised over those and the prompt. The shared prefix is the paper's other remedy: all modes have it.
"""

from __future__ import annotations

from dataclasses import replace

from context.reading.base import Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt

KEEP = 4
"""With 2 of 10 passages answers are a little less likely (docs/adr/0007-context-modes.md)."""


def guard(task: Task) -> ReadPrompt:
    """APE over the `keep` strongest passages of each query. The notes always have the entropy."""
    chosen = task.settings
    return side_by_side(
        replace(task, statistics=True),
        temperature=chosen.temperature,
        scale=chosen.scale,
        bias=chosen.bias,
        keep=chosen.keep or KEEP,
    )
