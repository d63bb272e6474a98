"""Checks the token vectors of a segment that came from elsewhere."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from retrieval.tokens.index import TokenIndex
from retrieval.trials import FOUND, TRIED, Expected, hold, whole
from retrieval.types import Int32

_KINDS = {"fast": "IndexIVFPQFastScan", "fine": "IndexIVFPQFastScan", "compact": "IndexIVFRaBitQ"}


def examine(index: TokenIndex, offsets: Int32, passages: int, expected: Expected) -> None:
    """Checks and searches one segment's token index, and its tokens' characters. Raises ValueError."""
    hold(index.passages == passages, "numbers of passages")
    hold(index.dim == expected.dim or not index.tokens, "dimensions")
    _check_offsets(offsets, index.tokens)
    _try_tokens(index)


def _check_offsets(offsets: np.ndarray, tokens: int) -> None:
    hold(whole(offsets) and offsets.shape == (tokens, 2) and int(offsets.min(initial=0)) >= -1, "offsets")


def _try_tokens(index: TokenIndex) -> None:
    """Every token is there once, under its passage; some are searched for, with a filter and without."""
    hold(bool(np.isfinite(index.stored.scales).all()), "token vectors")
    lists = index.lists
    if lists is not None:
        _check_kind(lists.index, _KINDS[index.tier])
        owners = np.concatenate([_in_list(lists.index.invlists, one) for one in range(lists.lists)])
        hold(owners.min(initial=0) >= 0 and owners.max(initial=0) < index.passages, "inverted lists")
        held = np.bincount(owners, minlength=index.passages)
        hold(bool((held == index.lengths).all()), "inverted lists")
    filled = np.flatnonzero(index.lengths > 0)
    picked = filled[np.linspace(0, len(filled) - 1, min(TRIED, len(filled)), dtype=np.int64)]
    bits = np.zeros(index.passages, bool)
    bits[picked] = True
    for number in picked:
        vectors = index.vectors(int(number))
        for allowed in (None, bits):
            similarities, passages = index.search(vectors[:1], min(FOUND, index.tokens), allowed)
            hold(int(passages.min()) >= -1 and int(passages.max()) < index.passages, "inverted lists")
            hold(not np.isnan(similarities).any(), "token vectors")
        index.bounds(vectors[:1], FOUND)
    if lists is not None:
        _try_trained(index, lists.index, np.concatenate([index.vectors(int(one)) for one in picked]))


def _check_kind(index: Any, kind: str) -> None:
    """Only what this project builds: other kinds of index may mean something else by the same calls."""
    coarse = type(faiss.downcast_index(index.quantizer)).__name__
    hold(type(index).__name__ == kind and coarse in ("IndexFlat", "IndexFlatIP"), "kinds of lists")
    hold(index.metric_type == index.quantizer.metric_type == faiss.METRIC_INNER_PRODUCT, "kinds of lists")
    hold((index.quantizer.ntotal, index.quantizer.d) == (index.nlist, index.d), "kinds of lists")


def _in_list(lists: Any, number: int) -> np.ndarray:
    """The passage of each token in one inverted list."""
    size = lists.list_size(number)
    ids = lists.get_ids(number)
    try:
        return faiss.rev_swig_ptr(ids, size).copy() if size else np.zeros(0, np.int64)
    finally:
        lists.release_ids(number, ids)


def _try_trained(index: TokenIndex, full: Any, vectors: np.ndarray) -> None:
    """The lists without tokens, which later segments inherit, take some."""
    empty = faiss.read_index(str(index.directory / "trained.faiss"))
    hold((empty.d, empty.ntotal, empty.nlist) == (full.d, 0, full.nlist), "trained lists")
    _check_kind(empty, _KINDS[index.tier])
    empty.add_with_ids(vectors, np.arange(len(vectors)))
    found, _ = empty.quantizer.search(vectors, 1)
    hold(bool(np.isfinite(found).all()) and np.isfinite(index.training.distance), "trained lists")
