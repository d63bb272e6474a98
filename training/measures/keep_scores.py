"""How well predicted probabilities agree with labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


@dataclass(frozen=True, slots=True)
class KeepScores:
    """Agreement over words: F1 of "keep", area under the ROC curve, share of words kept and to be kept.

    `f1_at_rate` is the F1 when exactly the labels' share is kept, the most probable words first: it does
    not depend on where the threshold lies.
    """

    f1: float
    f1_at_rate: float
    auc: float
    keep_rate: float
    label_rate: float


def keep_scores(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> KeepScores:
    """Scores for words (n,) with labels 0 or 1; both labels must occur."""
    kept = probabilities > 0.5
    cut = np.quantile(probabilities, 1 - labels.mean())
    return KeepScores(
        f1=f1(labels, kept),
        f1_at_rate=f1(labels, probabilities > cut),
        auc=auc(labels, probabilities),
        keep_rate=float(kept.mean()),
        label_rate=float(labels.mean()),
    )


def f1(labels: NDArray[np.int64], kept: NDArray[np.bool_]) -> float:
    """2 TP / (2 TP + FP + FN) of the label 1."""
    both = int((kept & (labels == 1)).sum())
    return 2 * both / max(int(kept.sum()) + int(labels.sum()), 1)


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """The chance that a word with label 1 scores above one with label 0, ties counting half."""
    positive = labels == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
