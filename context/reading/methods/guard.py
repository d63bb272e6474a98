"""The entropy guard: fewer passages for each query, less spread.

Every query of every head reads only the `keep` passages it attends to most, and its attention is
normalised over those and the prompt. The shared prefix is the paper's other remedy: all readings have it.
"""

from __future__ import annotations

from dataclasses import replace

from excerpta.types.reading import Guard

from base.methods import Method
from context.reading.base import Reading, Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def read(task: Task, options: Guard) -> ReadPrompt:
    """APE over the `keep` strongest passages of each query. The notes always have the entropy."""
    temperature, scale = task.defaults.over(options.temperature, options.scale)
    return side_by_side(
        replace(task, statistics=True),
        temperature=temperature,
        scale=scale,
        bias=options.bias,
        keep=options.keep,
    )


METHOD = Method(
    Guard,
    lambda networks: Reading(read),
    frozenset({"lm", "blocks"}),
    measured="NLL 3.07, F1 .034, 267 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
