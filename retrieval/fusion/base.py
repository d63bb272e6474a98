"""The interface of a method of fusion, and the weighted sum that all of them are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from excerpta.types.fuse import FuseMethod
from numpy.typing import NDArray

from retrieval.errors import RetrievalError
from retrieval.types import Hits

Float64: TypeAlias = NDArray[np.float64]


class InvalidFusionOption(RetrievalError):
    """An option of fusion is unknown or out of range."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option} is {value!r}; it must be {allowed}.")
        self.option = option
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Fusion:
    """One way to fuse. `points` gives each hit of a list (n,) its points, before the list's weight.

    It gets the hits, the options, and the list's ceiling: the most that its retriever could have given,
    None where that is unknown. With `completes`, each list first gets its scores of what the others found.
    """

    points: Callable[[Hits, Any, float | None], Float64]
    completes: bool = False


def fuse(
    lists: Mapping[str, Hits],
    fusion: Fusion,
    options: FuseMethod,
    *,
    weights: Mapping[str, float] | None = None,
    ceilings: Mapping[str, float] | None = None,
) -> Hits:
    """One list of every passage in any of `lists`, best first, ties by number.

    A passage's score is the sum of its points, times the lists' weights: those of the options, else of
    `weights`, else 1. A list of weight 0 is left out. Raises InvalidFusionOption.

    >>> from retrieval.fusion import CATALOGUE
    >>> a, b = Hits(np.array([4, 9]), np.array([2.0, 1.0])), Hits(np.array([9]), np.array([0.5]))
    >>> options = CATALOGUE.resolve({"method": "rrf"})
    >>> fuse({"a": a, "b": b}, CATALOGUE.of(options).make(None), options).numbers.tolist()
    [9, 4]
    """
    counted = {**(weights or {}), **options.weights}
    _check(counted)
    counting = {name: hits for name, hits in lists.items() if counted.get(name, 1.0)}
    numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.numbers for one in counting.values())]))
    points = np.zeros((len(numbers), len(counting)))
    for column, (name, hits) in enumerate(counting.items()):
        gained = counted.get(name, 1.0) * fusion.points(hits, options, (ceilings or {}).get(name))
        points[np.searchsorted(numbers, hits.numbers), column] = gained
    totals = _sums(points)
    order = np.lexsort((numbers, -totals))
    return Hits(numbers[order], totals[order].astype(np.float32))


def _sums(points: Float64) -> Float64:
    """The sum of each row, rounded once: so it, and a tie with it, is the same for any order of columns."""
    if points.shape[1] <= 2:
        return points.sum(axis=1)
    return np.array([math.fsum(row) for row in points.tolist()], np.float64)


def _check(weights: Mapping[str, float]) -> None:
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidFusionOption(f"the weight of {name}", weight, "a finite number, at least 0")
