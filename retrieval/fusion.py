"""Fuses several ranked lists into one: by reciprocal ranks, by scores within a list, or by raw scores."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import RetrievalError
from retrieval.types import Hits

Method: TypeAlias = Literal["rrf", "weighted", "scores"]
Float64: TypeAlias = NDArray[np.float64]


class InvalidFusionOption(RetrievalError):
    """An option of fusion is unknown or out of range."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option} is {value!r}; it must be {allowed}.")
        self.option = option
        self.value = value
        self.allowed = allowed


def fuse(
    lists: Mapping[str, Hits],
    *,
    method: Method,
    weights: Mapping[str, float],
    k: int = 60,
    ceilings: Mapping[str, float] | None = None,
    tie: Callable[[int], str] | None = None,
) -> Hits:
    """One list of every passage in any of `lists`, best first; a list without a weight counts 1.

    `rrf` adds weight / (k + rank), ranks from 1 (Cormack et al. 2009); `weighted` adds weight times the
    score brought to 0..1 within its list, and 0 for a list that lacks the passage; `scores` adds weight
    times the score as a share of its list's ceiling, the most that its retriever could have given (the best
    it gave, where `ceilings` has none; Bruch et al. 2023, arXiv 2210.11934, section 4). A list of weight 0
    is left out. Ties go by `tie` (a passage's id), else by number. Raises InvalidFusionOption.

    >>> a, b = Hits(np.array([4, 9]), np.array([2.0, 1.0])), Hits(np.array([9]), np.array([0.5]))
    >>> fuse({"a": a, "b": b}, method="rrf", weights={}).numbers.tolist()
    [9, 4]
    """
    _check(method, weights, k)
    points: defaultdict[int, list[float]] = defaultdict(list)
    for name, hits in lists.items():
        weight = weights.get(name, 1.0)
        if weight:
            gained = weight * _points(hits, method, k, (ceilings or {}).get(name))
            for number, point in zip(hits.numbers.tolist(), gained.tolist(), strict=True):
                points[number].append(point)
    # fsum rounds once, so a sum, and with it a tie, does not depend on the order of the lists.
    totals = {number: math.fsum(parts) for number, parts in points.items()}
    ranked = sorted(totals, key=lambda number: (-totals[number], tie(number) if tie else "", number))
    return Hits(np.array(ranked, np.int64), np.array([totals[number] for number in ranked], np.float32))


def _points(hits: Hits, method: Method, k: int, ceiling: float | None) -> Float64:
    if method == "rrf":
        return reciprocal_ranks(len(hits), k)
    return min_max(hits.scores) if method == "weighted" else shares(hits.scores, ceiling)


def reciprocal_ranks(count: int, k: int) -> Float64:
    """1 / (k + rank) for ranks 1 to `count`.

    >>> reciprocal_ranks(2, 1).round(3).tolist()
    [0.5, 0.333]
    """
    return 1.0 / (k + np.arange(1, count + 1, dtype=np.float64))


def min_max(scores: NDArray[np.floating]) -> Float64:
    """Scores brought to 0..1; all 1 where they do not differ.

    >>> min_max(np.array([8.0, 6.0, 4.0])).tolist(), min_max(np.array([3.0])).tolist()
    ([1.0, 0.5, 0.0], [1.0])
    """
    exact = scores.astype(np.float64)
    if not len(exact) or exact.min() == exact.max():
        return np.ones_like(exact)
    scaled: Float64 = (exact - exact.min()) / (exact.max() - exact.min())
    return scaled


def shares(scores: NDArray[np.floating], ceiling: float | None = None) -> Float64:
    """Scores as shares of `ceiling`, or of the best of them; as they are where that is not above 0.

    >>> shares(np.array([8.0, 6.0])).tolist(), shares(np.array([8.0, 6.0]), 16.0).tolist()
    ([1.0, 0.75], [0.5, 0.375])
    """
    exact = scores.astype(np.float64)
    whole = exact.max(initial=0.0) if ceiling is None else ceiling
    return exact / whole if whole > 0 else exact


def _check(method: str, weights: Mapping[str, float], k: int) -> None:
    if method not in get_args(Method):
        raise InvalidFusionOption("method", method, f"one of {', '.join(get_args(Method))}")
    if k < 0:
        raise InvalidFusionOption("k", k, "at least 0")
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidFusionOption(f"the weight of {name}", weight, "a finite number, at least 0")
