"""APE: reads passages in parallel, weighted by temperature and scale."""

from __future__ import annotations

from excerpta.types.reading import Ape

from base.methods import Method
from context.reading.base import Reading, Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def read(task: Task, options: Ape) -> ReadPrompt:
    """Reads with temperature and scale, and with a bias if one is set."""
    temperature, scale = task.defaults.over(options.temperature, options.scale)
    return side_by_side(task, temperature=temperature, scale=scale, bias=options.bias)


METHOD = Method(
    Ape,
    lambda networks: Reading(read),
    frozenset({"lm", "blocks"}),
    measured="NLL 3.09, F1 .034, 151 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
