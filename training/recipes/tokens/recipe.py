"""How the token encoder's adapter is trained."""

from __future__ import annotations

from dataclasses import dataclass

from training.options import Recipe, option


@dataclass(frozen=True, slots=True)
class TokensRecipe(Recipe):
    """The options; a batch has `passages` passages with questions, and about as many wrong ones."""

    epochs: int = option(3, "times every passage with a question is seen")
    dim: int = option(128, "length of the vectors")
    learning_rate: float = option(2e-4, "highest learning rate, reached after the warm-up")
    passages: int = option(20, "passages with questions in a batch; about as many without are added")
    questions: int = option(1, "most questions of a passage in a batch")
    window: int = option(128, "tokens of a passage that are read")
    depth: int = option(10, "BM25 ranks from which the wrong passages come")
    k: int = option(64, "tokens that a query token retrieves from a batch, in XTR's part of the loss")
    temperature: float = option(0.02, "scores are divided by it before the softmax")
    masked_share: float = option(0.3, "XTR's part of the loss; the rest is MaxSim's")
    teacher_share: float = option(0.5, "how far the untrained network's scores are followed")
    projection_steps: int = option(400, "steps in which only the projection is trained, first")
    projection_rate: float = option(3e-4, "their highest learning rate")
    projection_teacher_share: float = option(0.9, "how far they follow the untrained network's scores")
    kept: float = option(0.5, "share of the later changes that stays in the weights")
