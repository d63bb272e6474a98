"""How a keep adapter is trained."""

from __future__ import annotations

from dataclasses import dataclass

from training.options import Recipe, option


@dataclass(frozen=True, slots=True)
class KeepRecipe(Recipe):
    """The options of the keep adapter."""

    epochs: int = option(4, "times every sentence is seen")
    dropout: float = option(0.05, "share of a change's inputs dropped while training")
    learning_rate: float = option(1e-3, "highest learning rate, reached after the warm-up")
    batch_tokens: int = option(1536, "tokens in a batch, padding counted")
    largest: int = option(6, "most sentences joined to one text")
    window: int = option(254, "longest text in tokens; longer ones are cut here, and read in windows later")
