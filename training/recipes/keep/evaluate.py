"""Tests a keep adapter on sentences that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compress.methods.token_classifier import Classifier
from compress.pooling import word_probabilities
from training.data.keep_labels import Sentence, join
from training.measures.keep_scores import KeepScores, keep_scores


def evaluate(classifier: Classifier, sentences: Sequence[Sentence]) -> KeepScores:
    """Agreement with the labels over the words of all sentences, each read by itself."""
    texts = [join([sentence]) for sentence in sentences]
    found = classifier.keep_probabilities([text.text for text in texts])
    probabilities = [
        word_probabilities(text.spans, np.asarray(tokens.offsets), np.asarray(tokens.probabilities))
        for text, tokens in zip(texts, found, strict=True)
    ]
    return keep_scores(np.concatenate([text.keep for text in texts]), np.concatenate(probabilities))
