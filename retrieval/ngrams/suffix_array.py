"""The suffix array of a sequence of token ids, and its two lookups.

A range `[lo, hi)` of the array holds every position where one n-gram occurs, because suffixes that
begin alike are neighbours. One token more narrows the range; the n-gram is never searched again.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

Ids: TypeAlias = NDArray[Any]
"""Token ids, unsigned 16 or 32 bits wide."""
Positions: TypeAlias = NDArray[np.int64]
SuffixArray: TypeAlias = NDArray[np.uint32]


def build_suffix_array(tokens: Ids) -> SuffixArray:
    """Positions of all suffixes of `tokens` (n,), in the order of the suffixes.

    >>> build_suffix_array(np.array([2, 0, 1, 0], np.uint16)).tolist()
    [3, 1, 2, 0]
    """
    if len(tokens) == 0:
        return np.zeros(0, np.uint32)
    order: SuffixArray = np.asarray(divsufsort(np.ascontiguousarray(tokens))).astype(np.uint32)
    return order


def children(tokens: Ids, order: SuffixArray, lo: int, hi: int, depth: int) -> tuple[Ids, Positions]:
    """Every token that follows the n-gram of range `[lo, hi)`, ascending, and where its range begins.

    `depth` is the n-gram's length; every position must have a token after the n-gram. Child i has the
    range `[begins[i], begins[i + 1])`, so `begins` is one longer than the tokens.
    """
    following = tokens[order[lo:hi].astype(np.int64) + depth]
    changes = np.flatnonzero(following[1:] != following[:-1]) + 1
    begins = np.concatenate(([0], changes)) if hi > lo else np.zeros(0, np.int64)
    return following[begins], np.append(begins, hi - lo) + lo


def narrow(
    tokens: Ids, order: SuffixArray, lo: int, hi: int, depth: int, wanted: Ids
) -> tuple[Positions, Positions]:
    """Ranges of the n-gram of `[lo, hi)` followed by each wanted token; empty ones have equal ends.

    Two binary searches a token, all tokens at once: O(len(wanted) * log(hi - lo)).
    """
    return (
        _bound(tokens, order, lo, hi, depth, wanted, after=False),
        _bound(tokens, order, lo, hi, depth, wanted, after=True),
    )


def _bound(
    tokens: Ids, order: SuffixArray, lo: int, hi: int, depth: int, wanted: Ids, *, after: bool
) -> Positions:
    """First place in `[lo, hi)` whose following token is >= (`after`: >) each wanted one, else `hi`."""
    low = np.full(len(wanted), lo, np.int64)
    high = np.full(len(wanted), hi, np.int64)
    for _ in range((hi - lo).bit_length()):
        middle = (low + high) // 2
        open_ = low < high
        # A finished search may stand at `hi`, which can be past the end of the array.
        following = tokens[order[np.minimum(middle, hi - 1)].astype(np.int64) + depth]
        right = (following <= wanted) if after else (following < wanted)
        low = np.where(open_ & right, middle + 1, low)
        high = np.where(open_ & ~right, middle, high)
    return low
