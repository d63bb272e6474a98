"""Checks of an index that came from elsewhere, so that no query fails on it or reads out of bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TRIED = 16
"""Passages of a segment that are searched for."""
FOUND = 10
"""Hits that are asked for."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Sizes of the serving models: dimensions of a vector, and number of token ids (0 without n-grams)."""

    dim: int
    vocabulary_size: int


def hold(holds: bool, what: str) -> None:
    """Raises ValueError where a check does not hold."""
    if not holds:
        raise ValueError(f"the {what} of its index do not fit the rest of it")


def whole(array: np.ndarray) -> bool:
    """Whether an array has whole numbers."""
    return array.dtype.kind in "iu"


def rises(array: np.ndarray, first: int, last: int) -> bool:
    """Whether whole numbers rise from `first` to `last`."""
    if not whole(array) or array.ndim != 1 or not len(array):
        return False
    return int(array[0]) == first and int(array[-1]) == last and bool((array[1:] >= array[:-1]).all())
