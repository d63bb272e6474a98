"""APE (Yang et al. 2025, arXiv 2502.05431): reads passages in parallel, weighted by temperature and scale."""

from __future__ import annotations

from context.reading.base import Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def ape(task: Task) -> ReadPrompt:
    """Reads with temperature and scale, and with a bias if one is set."""
    chosen = task.settings
    return side_by_side(task, temperature=chosen.temperature, scale=chosen.scale, bias=chosen.bias)
