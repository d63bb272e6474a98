"""The rerankers by their definitions: slow and obviously right. Tests compare the fast paths with these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.attention.reference import eager_maps
from rerank.attention import ROUNDING, Span

Float64 = NDArray[np.float64]


def icr_slow(
    network: Any,
    context: Sequence[int],
    spans: Sequence[Span],
    questions: Sequence[Sequence[int]],
    layers: Sequence[int],
    deviations: float,
) -> list[float]:
    """ICR's scores, each question read as one whole prompt: the asked one, and the neutral one if there is.

    One layer, head, row and token at a time (Chen et al. 2024, equations 1 to 4).
    """
    paid = []
    for question in questions:
        maps = eager_maps(network, [*context, *question])
        tokens = np.zeros(len(context))
        for layer in layers:
            for head in maps[layer]:
                for row in range(len(context), len(context) + len(question)):
                    tokens += head[row, : len(context)] / len(question)
        paid.append(tokens)
    scores = []
    for start, end in spans:
        own = [paid[0][at] - (paid[1][at] if len(paid) > 1 else 0.0) for at in range(start, end)]
        rounding = ROUNDING * max(map(abs, own), default=0.0)
        least = np.mean(own) - deviations * np.std(own) - rounding if own else 0.0
        scores.append(float(sum(one for one in own if one >= least)))
    return scores


def slide_slow(
    count: int, size: int, stride: int, score: Callable[[Sequence[int]], Sequence[float]]
) -> tuple[list[int], dict[int, float]]:
    """Ranks by windows as published: from the last `size` places up by `stride`, each sorted in its place."""
    order = list(range(count))
    scores: dict[int, float] = {}
    end, start = count, count - size
    while end > 0 and count:
        start = max(start, 0)
        window = order[start:end]
        found = dict(zip(window, score(window), strict=True))
        scores |= found
        order[start:end] = sorted(window, key=lambda item: -found[item])
        if start == 0:
            break
        start, end = start - stride, max(end - stride, min(size, count))
    return order, scores


def letters_slow(network: Any, prompt: Sequence[int], letters: Sequence[int]) -> Float64:
    """FIRST's scores of one window: all logits behind the whole prompt, of which the letters' are taken."""
    import torch  # what needs no network needs no PyTorch

    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([list(prompt)])).logits[0, -1].double().numpy()
    weights = np.exp([logits[letter] - max(logits[one] for one in letters) for letter in letters])
    found: Float64 = weights / weights.sum()
    return found
