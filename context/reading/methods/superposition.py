"""Superposition (Merth et al. 2024, arXiv 2404.06910): one path a passage, and only the likely ones go on.

A path is prefix, one passage, question. How likely the question is at its end says, by Bayes' rule and
with passages alike at first, how likely the passage is the one asked about. Prefix, passage and the words
that lead to the question come out of the store, so ranking known passages costs the question's own tokens
alone, all paths in one call.

Differences from the paper: paths keep their own positions, because the spacing that makes all end at one
place depends on the other passages, and nothing could be reused; the likelihood of the passages
themselves is left out for the same reason (it ranks texts by how usual they are); and the question is
read once over the paths that are left, by APE, instead of being copied into each.
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
    """APE over the `keep` passages after which the question is likeliest; the others weigh nothing."""
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
    """Mean log p of the tokens `asked` of the tail after prefix and each passage, one number a passage.

    `lead` are blocks of the tail's beginning behind each passage, if they are known.
    """
    known = lead[0].tokens if lead else 0
    rest = range(asked.start - known, asked.stop - known)
    log_p = path_log_likelihoods(lm, prefix, blocks, tail[known:], rest, behind=lead or None)
    return [sum(row) / len(row) for row in log_p]
