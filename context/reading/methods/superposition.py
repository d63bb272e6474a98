"""Superposition (Merth et al. 2024, arXiv 2404.06910): reads one path per passage and keeps the likely ones.

A path is prefix, one passage, question. By Bayes' rule, with equal priors, the likelihood of the question at
its end ranks the passages. Prefix, passage and lead come out of the store. So ranking cached passages costs
only the question's own tokens, with all paths in one call.

Differences from the paper: paths keep their own positions, because the paper's spacing depends on the other
passages, so no block could be reused. The likelihood of the passages themselves is left out, because it ranks
texts by how usual they are. And the question is read once over the remaining paths, by APE, instead of
being copied into each.
"""

from __future__ import annotations

from collections.abc import Sequence

from context.reading.base import Task
from context.reading.paths import path_log_likelihoods
from context.reading.side_by_side import side_by_side
from context.writing.generation import ReadPrompt
from models.attention.blocks import Block
from models.networks.language_model import LanguageModel

KEEP = 2
"""Of 10 passages; more bring the distractors back (docs/adr/0007-context-modes.md)."""


def superposition(task: Task) -> ReadPrompt:
    """APE over the `keep` passages that make the question most likely. The others are not read."""
    chosen = task.settings
    saliency = path_saliency(
        task.lm, task.prefix, task.blocks, task.tail, task.asked, task.lead and task.lead()
    )
    best = sorted(range(len(saliency)), key=lambda at: (-saliency[at], at))[: chosen.keep or KEEP]
    return side_by_side(
        task,
        temperature=chosen.temperature,
        scale=chosen.scale,
        bias=chosen.bias,
        read_only=sorted(best),
        saliency=saliency,
    )


def path_saliency(
    lm: LanguageModel,
    prefix: Block,
    blocks: Sequence[Block],
    tail: Sequence[int],
    asked: range,
    lead: Sequence[Block] | None = None,
) -> list[float]:
    """Mean log p of the tail's `asked` tokens after prefix and each passage, one number per passage.

    `lead` are the cached blocks of the tail's beginning after each passage, if there are any.
    """
    known = lead[0].tokens if lead else 0
    rest = range(asked.start - known, asked.stop - known)
    log_p = path_log_likelihoods(lm, prefix, blocks, tail[known:], rest, behind=lead or None)
    return [sum(row) / len(row) for row in log_p]
