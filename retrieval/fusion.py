"""Several ranked lists become one: by reciprocal ranks or by weighted scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from retrieval.types import Float32, Hits

Method = Literal["rrf", "weighted"]


def fuse(
    lists: Mapping[str, Hits],
    *,
    method: Method,
    weights: Mapping[str, float],
    k: int = 60,
    tie: Callable[[int], str] | None = None,
) -> Hits:
    """One list of every passage in any of `lists`, best first; a list without a weight counts 1.

    `rrf` adds weight / (k + rank), ranks from 1 (Cormack et al. 2009); `weighted` adds weight times the
    score brought to 0..1 within its list. A list of weight 0 is left out. Ties go by `tie` (a passage's
    id), else by number.

    >>> a, b = Hits(np.array([4, 9]), np.array([2.0, 1.0])), Hits(np.array([9]), np.array([0.5]))
    >>> fuse({"a": a, "b": b}, method="rrf", weights={}).numbers.tolist()
    [9, 4]
    """
    points = {"rrf": lambda hits: _reciprocal_ranks(hits, k), "weighted": _scaled}[method]
    totals: dict[int, float] = {}
    for name in sorted(lists):
        weight = weights.get(name, 1.0)
        if weight:
            hits = lists[name]
            for number, point in zip(hits.numbers.tolist(), points(hits).tolist(), strict=True):
                totals[number] = totals.get(number, 0.0) + weight * point
    ranked = sorted(totals, key=lambda number: (-totals[number], tie(number) if tie else "", number))
    return Hits(np.array(ranked, np.int64), np.array([totals[number] for number in ranked], np.float32))


def _reciprocal_ranks(hits: Hits, k: int) -> np.ndarray:
    return 1.0 / (k + np.arange(1, len(hits) + 1, dtype=np.float64))


def _scaled(hits: Hits) -> Float32 | np.ndarray:
    """Scores from 0 to 1 within the list; all 1 where they do not differ."""
    if not len(hits):
        return hits.scores
    scores = hits.scores.astype(np.float64)
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)
