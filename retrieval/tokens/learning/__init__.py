"""Trains the token encoder of profile `compact`."""

from retrieval.tokens.learning.examples import Example, TrainingSet, read_training_set
from retrieval.tokens.learning.objective import late_interaction_loss, masked_scores, maxsim_scores
from retrieval.tokens.learning.training import Recipe, Trained, train

__all__ = [
    "Example",
    "Recipe",
    "Trained",
    "TrainingSet",
    "late_interaction_loss",
    "masked_scores",
    "maxsim_scores",
    "read_training_set",
    "train",
]
