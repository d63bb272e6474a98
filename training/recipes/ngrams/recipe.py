"""How the writer of n-grams is trained."""

from __future__ import annotations

from dataclasses import dataclass

from training.options import Recipe, option


@dataclass(frozen=True, slots=True)
class NgramRecipe(Recipe):
    """The options of the n-gram adapter."""

    steps: int = option(580, "batches learnt")
    learning_rate: float = option(6e-4, "highest learning rate, reached after the warm-up")
    dropout: float = option(0.0, "share of a change's inputs dropped while training")
    first_layer: int = option(10, "the lowest layer that is changed; those below are read without gradients")
    batch: int = option(4, "questions or sentences in a batch")
    spans: int = option(10, "n-grams written for each of them")
    length: int = option(8, "tokens of an n-gram")
    sentences: float = option(0.25, "share of sentences of the passages, in place of questions")
    smoothing: float = option(0.1, "share of the probability that the loss wants spread over all tokens")
    passage_words: int = option(100, "longest passage in words")
    depth: int = option(20, "BM25 ranks that are looked at for passages that answer too")
