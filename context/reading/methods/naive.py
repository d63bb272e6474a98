"""Plain parallel encoding after a shared prefix: T = S = 1."""

from __future__ import annotations

from excerpta.types.reading import Naive

from base.methods import Method
from context.reading.base import Reading, Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def read(task: Task, options: Naive) -> ReadPrompt:
    """Reads all passages with the weight that their keys give them."""
    return side_by_side(task)


METHOD = Method(
    Naive,
    lambda networks: Reading(read),
    frozenset({"lm", "blocks"}),
    measured="NLL 3.50, F1 .013, 152 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
