"""Superposition: reads one path per passage and keeps the likely ones.

A path is prefix, one passage, question. By Bayes' rule, with equal priors, the likelihood of the question at
its end ranks the passages. Prefix, passage and lead come out of the store. So ranking cached passages costs
only the question's own tokens, with all paths in one call.

Differences from the paper: paths keep their own positions, because the paper's spacing depends on the other
passages, so no block could be reused. The likelihood of the passages themselves is left out, because it ranks
texts by how usual they are. And the question is read once over the remaining paths, by APE, instead of
being copied into each.
"""

from __future__ import annotations

from excerpta.types.reading import Superposition

from base.methods import Method
from context.reading.base import Reading, Task
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt


def read(task: Task, options: Superposition) -> ReadPrompt:
    """APE over the `keep` passages that make the question most likely. The others are not read."""
    saliency = task.saliency()
    best = sorted(range(len(saliency)), key=lambda at: (-saliency[at], at))[: options.keep]
    return side_by_side(
        task,
        temperature=options.temperature,
        scale=options.scale,
        bias=options.bias,
        read_only=sorted(best),
        saliency=saliency,
    )


METHOD = Method(
    Superposition,
    lambda networks: Reading(read, leads=True),
    frozenset({"lm", "blocks"}),
    measured="NLL 2.63, F1 .108, 370 CPU ms to the first token (`benchmarks context`, nq, 10 passages)",
)
