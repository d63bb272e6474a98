"""Plain parallel encoding after a shared prefix: T = S = 1 (PCW, Ratner et al. 2023, arXiv 2212.10947)."""

from __future__ import annotations

from context.reading.base import Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def naive(task: Task) -> ReadPrompt:
    """Reads all passages with the weight that their keys give them."""
    return side_by_side(task)
