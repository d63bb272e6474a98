"""The arithmetic of this package by its definitions: slow and obviously right. Tests compare with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from base.text.sentences import sentences
from base.text.words import Spans
from compress.base import TokenSimilarities
from compress.percentile import Counts, Floats, percentile_of


def percentile_keep_slow(scores: Floats, tokens: Counts, rate: float) -> NDArray[np.bool_]:
    """LLMLingua-2's rule as it is published: repeat, take the percentile, keep what lies above."""
    if not len(scores):
        return np.zeros(0, dtype=bool)
    above: NDArray[np.bool_] = scores > np.percentile(np.repeat(scores, tokens), percentile_of(rate))
    return above


def word_probabilities_slow(spans: Spans, offsets: NDArray[Any], probabilities: NDArray[Any]) -> Floats:
    """The same means, word by word."""
    means = []
    for start, end in spans:
        shares = (offsets[:, 0] < end) & (offsets[:, 1] > start)
        means.append(float(probabilities[shares].mean()) if shares.any() else 0.0)
    return np.array(means, dtype=np.float64)


def first_probabilities_slow(spans: Spans, offsets: NDArray[Any], probabilities: NDArray[Any]) -> Floats:
    """The first token's probability, word by word."""
    firsts = []
    for start, end in spans:
        shares = (offsets[:, 0] < end) & (offsets[:, 1] > start)
        firsts.append(float(probabilities[shares][0]) if shares.any() else 0.0)
    return np.array(firsts, dtype=np.float64)


def similarities_slow(text: str, found: TokenSimilarities) -> list[float]:
    """MaxSim of each sentence, token by token; a token counts for the last sentence that begins before it."""
    starts = [one.start for one in sentences(text)]
    values = []
    for at, start in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else np.inf
        inside = [
            column
            for column, (place, _) in enumerate(found.offsets.tolist())
            if (start <= place or at == 0) and place < end
        ]
        rows = [max(float(row[column]) for column in inside) for row in found.values if inside]
        values.append(sum(rows) / len(rows) if rows else 0.0)
    return values


def pool_slow(weights: Floats, window: int) -> Floats:
    """The same mean, place by place."""
    half = window // 2
    padded = np.concatenate([np.zeros(half), weights, np.zeros(half)])
    return np.array([padded[place : place + window].sum() / window for place in range(len(weights))])


def turns_slow(vectors: Floats, labels: NDArray[np.int64]) -> list[int]:
    """The sentences in the order in which clusters take turns, by all pairs of a cluster's members."""
    queues: list[list[int]] = []
    for number in sorted(set(labels.tolist())):
        members = [at for at, label in enumerate(labels.tolist()) if label == number]
        central = {at: round(sum(float(vectors[at] @ vectors[b]) for b in members), 9) for at in members}
        queues.append(sorted(members, key=lambda at, central=central: (-central[at], at)))  # type: ignore[misc]
    queues.sort(key=lambda members: -len(members))
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
