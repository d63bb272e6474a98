"""Checks an n-gram index that came from elsewhere."""

from __future__ import annotations

import numpy as np

from retrieval.ngrams.index import NgramIndex
from retrieval.trials import Expected, hold, rises, whole


def examine(index: NgramIndex, passages: int, expected: Expected) -> None:
    """Checks one segment's index. Raises ValueError."""
    hold(index.passages == passages, "numbers of passages")
    hold(index.vocabulary_size == expected.vocabulary_size, "numbers of token ids")
    _check_ngrams(index)


def _check_ngrams(index: NgramIndex) -> None:
    """The suffix array has every suffix once, each not before the one it follows."""
    ids, order, size = index._ids, index._sa, index.vocabulary_size
    hold(all(map(whole, (ids, order, index._first, index._offsets))), "n-grams")
    hold(rises(index._starts, 0, len(ids)) and int(index.lengths.min(initial=1)) >= 1, "n-grams")
    ends = ids == size
    hold(
        bool((np.flatnonzero(ends) == index._starts[1:] - 1).all()) and int(ids.max(initial=0)) <= size,
        "n-grams",
    )
    hold(int(order.max(initial=0)) < max(1, len(ids)) and int(order.min(initial=0)) >= 0, "n-grams")
    rank = np.full(len(ids), len(order), np.int64)
    rank[order] = np.arange(len(order))
    hold(int((rank < len(order)).sum()) == len(order) and not (rank[ends] < len(order)).any(), "n-grams")
    firsts, behind = ids[order], rank[order.astype(np.int64) + 1]
    same = firsts[1:] == firsts[:-1]
    hold(bool((firsts[1:] >= firsts[:-1]).all()) and bool((behind[1:] >= behind[:-1])[same].all()), "n-grams")
    counts = np.bincount(firsts, minlength=size)
    hold(bool((np.diff(index._first.astype(np.int64)) == counts).all()), "n-grams")
    hold(not len(index._first) or int(index._first[0]) == 0, "n-grams")
    hold(int(index._offsets.min(initial=-1)) >= -1, "n-grams")
