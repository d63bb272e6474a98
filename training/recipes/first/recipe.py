"""How the listwise reranker is trained."""

from __future__ import annotations

from dataclasses import dataclass

from training.options import Recipe, option


@dataclass(frozen=True, slots=True)
class FirstRecipe(Recipe):
    """The options of the listwise adapter."""

    steps: int = option(900, "lists learnt, one a step")
    learning_rate: float = option(5e-4, "highest learning rate, reached after the warm-up")
    dropout: float = option(0.0, "share of a change's inputs dropped while training")
    first_layer: int = option(10, "the lowest layer that is changed; those below are read without gradients")
    easy: int = option(40, "first steps, whose lists have 4 passages")
    passages: int = option(8, "passages of the other lists")
    long_share: float = option(0.25, "share of the later lists with up to 20 passages")
    questions_most: int = option(16, "most questions asked over one list")
    passage_words: int = option(60, "longest passage in words")
    depth: int = option(20, "BM25 ranks of a question among which wrong passages are drawn")
    order_share: float = option(0.0, "share of the loss that follows the teacher's order (weighted RankNet)")
