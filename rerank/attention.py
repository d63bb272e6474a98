"""What ICR makes of attention: which layers are read, and a passage's score from that of its tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
"""The tokens of a passage in a prompt, half-open."""


def layers_between(layers: int, begin: float, end: float) -> range:
    """The layers between two shares of a network's depth, one at least.

    >>> layers_between(30, 0.6, 0.62), layers_between(2, 0.6, 0.62)
    (range(18, 19), range(1, 2))
    """
    first = min(int(begin * layers), layers - 1)
    return range(first, max(first + 1, min(math.ceil(end * layers), layers)))


ROUNDING = 1e-5
"""What equal attention may differ by, as a share of the greatest."""


def passage_scores(
    asked: NDArray[np.float64], neutral: NDArray[np.float64] | None, spans: Sequence[Span], deviations: float
) -> NDArray[np.float64]:
    """Scores (n,) of passages from the attention (tokens,) that a question and a neutral one pay to tokens.

    A token's score is the difference; in each passage those that lie more than `deviations` standard
    deviations below its mean do not count (Chen et al. 2024, section 3.2). One that lies just there counts,
    whatever the sums were rounded to: of five tokens, one that differs from the rest always lies at two
    deviations. A passage without tokens has 0.

    >>> passage_scores(np.array([0.5, 0.2, 0.3]), np.array([0.2, 0.2, 0.1]), [(0, 2), (2, 3)], 2.0).tolist()
    [0.3, 0.19999999999999998]
    """
    tokens = asked if neutral is None else asked - neutral
    scores = np.zeros(len(spans), np.float64)
    for at, (start, end) in enumerate(spans):
        own = tokens[start:end]
        if len(own):
            least = own.mean() - deviations * own.std() - ROUNDING * np.abs(own).max()
            scores[at] = own[own >= least].sum()
    return scores
