"""Checks that an index is consistent, so that no query fails on it or reads out of bounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.archive.agreement import Agreement
from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.archive.documents import read_documents
from retrieval.lexical import Bm25, Terms
from retrieval.ngrams import NgramIndex
from retrieval.segments import Manifest, Segment, SegmentEntry, read_live
from retrieval.segments.columns import kind_of
from retrieval.segments.passages import PassageStore
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.tokens import TokenIndex

_TRIED = 16  # passages of a segment that are searched for
_FOUND = 10
_KINDS = {"fast": "IndexIVFPQFastScan", "fine": "IndexIVFPQFastScan", "compact": "IndexIVFRaBitQ"}


@dataclass(frozen=True, slots=True)
class Expected:
    """Sizes of the serving models: dimensions of a vector, and number of token ids (0 without n-grams)."""

    dim: int
    vocabulary_size: int


def try_collection(directory: Path, expected: Expected) -> None:
    """Opens every index of a collection, checks and searches it, and holds the documents against it.

    Raises ValueError, CorruptSegment or IndexMismatch, or any other error that a damaged file causes.
    """
    manifest = Manifest.read(directory)
    segments = [Segment(entry.name, directory / SEGMENTS / entry.name) for entry in manifest.segments]
    live = [read_live(directory, entry) for entry in manifest.segments]
    for entry, segment, bits in zip(manifest.segments, segments, live, strict=True):
        dead = 0 if bits is None else int((~bits).sum())
        _hold(
            dead == (entry.tombstones.deleted if entry.tombstones else 0) < max(1, entry.documents),
            "deletions",
        )
        _try_segment(segment, entry, expected, ngrams=manifest.settings.ngrams)
    bm25 = Bm25([segment.terms for segment in segments])
    for segment in segments:
        bm25.search(" ".join(segment.terms.vocabulary[:_TRIED]), limit=_FOUND, allowed=None)
    agreement = Agreement([segment.passages for segment in segments], live)
    with (directory / DOCUMENTS).open("rb") as file:
        for document in read_documents(file):
            if why := agreement.differs(document):
                raise ValueError(why)
    if agreement.left:
        raise ValueError(f"{agreement.left} documents of the index are not among the documents")


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"the {what} of its index do not fit the rest of it")


def _try_segment(segment: Segment, entry: SegmentEntry, expected: Expected, *, ngrams: bool) -> None:
    _check_passages(segment.passages)
    documents, passages = len(segment.passages.ids), len(segment.passages)
    _hold((documents, passages) == (entry.documents, entry.passages), "numbers of documents and passages")
    _hold(segment.tokens.passages == segment.terms.passages == passages, "numbers of passages")
    _hold(segment.tokens.dim == expected.dim or not segment.tokens.tokens, "dimensions")
    _check_terms(segment.terms)
    _hold((segment.ngrams is not None) == ngrams, "n-grams")
    if segment.ngrams is not None:
        _hold(segment.ngrams.passages == passages, "numbers of passages")
        _hold(segment.ngrams.vocabulary_size == expected.vocabulary_size, "numbers of token ids")
        _check_ngrams(segment.ngrams)
    _check_offsets(segment._offsets, segment.tokens.tokens)
    _try_tokens(segment.tokens)


def _check_passages(store: PassageStore) -> None:
    texts = [*store.ids, *store.titles, *store._headings]
    _hold(
        all(type(one) is list for one in (store.ids, store.titles, store.metadata, store._headings)), "lists"
    )
    _hold(all(type(text) is str for text in texts) and len(store.places) == len(store.ids), "ids and titles")
    _hold(len(store.ids) == len(store.titles) == len(store.metadata), "numbers of documents")
    for fields in store.metadata:
        _hold(type(fields) is dict, "metadata")
        for value in fields.values():
            values = value if isinstance(value, list) else [value]
            _hold(all(kind_of(one) for one in values), "metadata")
    count = len(store)
    _hold(len(store._headings) == count, "headings")
    _hold(_rises(store._bounds, 0, len(store._text)) and store._bounds.shape == (count + 1,), "texts")
    spans = store._spans
    _hold(_whole(spans) and spans.shape == (count, 2) and bool((spans >= 0).all()), "spans")
    _hold(bool((spans[:, 0] <= spans[:, 1]).all()), "spans")
    owners = store.owners
    _hold(_whole(owners) and owners.ndim == 1 and bool((np.diff(owners) >= 0).all()), "owners")
    _hold(not count or (owners[0] >= 0 and owners[-1] < len(store.ids)), "owners")


def _check_terms(terms: Terms) -> None:
    _hold(type(terms.vocabulary) is list and all(type(one) is str for one in terms.vocabulary), "words")
    _hold(_rises(terms.starts, 0, len(terms.terms)), "words")
    _hold(all(map(_whole, (terms.terms, terms.counts, terms.lengths))), "words")
    _hold(int(terms.terms.min(initial=0)) >= 0 and int(terms.counts.min(initial=1)) >= 1, "words")
    _hold(int(terms.lengths.min(initial=0)) >= 0, "words")


def _check_ngrams(index: NgramIndex) -> None:
    """The suffix array has every suffix once, each not before the one it follows."""
    ids, order, size = index._ids, index._sa, index.vocabulary_size
    _hold(all(map(_whole, (ids, order, index._first, index._offsets))), "n-grams")
    _hold(_rises(index._starts, 0, len(ids)) and int(index.lengths.min(initial=1)) >= 1, "n-grams")
    ends = ids == size
    _hold(
        bool((np.flatnonzero(ends) == index._starts[1:] - 1).all()) and int(ids.max(initial=0)) <= size,
        "n-grams",
    )
    _hold(int(order.max(initial=0)) < max(1, len(ids)) and int(order.min(initial=0)) >= 0, "n-grams")
    rank = np.full(len(ids), len(order), np.int64)
    rank[order] = np.arange(len(order))
    _hold(int((rank < len(order)).sum()) == len(order) and not (rank[ends] < len(order)).any(), "n-grams")
    firsts, behind = ids[order], rank[order.astype(np.int64) + 1]
    same = firsts[1:] == firsts[:-1]
    _hold(
        bool((firsts[1:] >= firsts[:-1]).all()) and bool((behind[1:] >= behind[:-1])[same].all()), "n-grams"
    )
    counts = np.bincount(firsts, minlength=size)
    _hold(bool((np.diff(index._first.astype(np.int64)) == counts).all()), "n-grams")
    _hold(not len(index._first) or int(index._first[0]) == 0, "n-grams")
    _hold(int(index._offsets.min(initial=-1)) >= -1, "n-grams")


def _check_offsets(offsets: np.ndarray, tokens: int) -> None:
    _hold(_whole(offsets) and offsets.shape == (tokens, 2) and int(offsets.min(initial=0)) >= -1, "offsets")


def _try_tokens(index: TokenIndex) -> None:
    """Every token is there once, under its passage; some are searched for, with a filter and without."""
    _hold(bool(np.isfinite(index.stored.scales).all()), "token vectors")
    lists = index.lists
    if lists is not None:
        _check_kind(lists.index, _KINDS[index.tier])
        owners = np.concatenate([_in_list(lists.index.invlists, one) for one in range(lists.lists)])
        _hold(owners.min(initial=0) >= 0 and owners.max(initial=0) < index.passages, "inverted lists")
        held = np.bincount(owners, minlength=index.passages)
        _hold(bool((held == index.lengths).all()), "inverted lists")
    filled = np.flatnonzero(index.lengths > 0)
    picked = filled[np.linspace(0, len(filled) - 1, min(_TRIED, len(filled)), dtype=np.int64)]
    bits = np.zeros(index.passages, bool)
    bits[picked] = True
    for number in picked:
        vectors = index.vectors(int(number))
        for allowed in (None, bits):
            similarities, passages = index.search(vectors[:1], min(_FOUND, index.tokens), allowed)
            _hold(int(passages.min()) >= -1 and int(passages.max()) < index.passages, "inverted lists")
            _hold(not np.isnan(similarities).any(), "token vectors")
        index.bounds(vectors[:1], _FOUND)
    if lists is not None:
        _try_trained(index, lists.index, np.concatenate([index.vectors(int(one)) for one in picked]))


def _check_kind(index: Any, kind: str) -> None:
    """Only what this project builds: other kinds of index may mean something else by the same calls."""
    coarse = type(faiss.downcast_index(index.quantizer)).__name__
    _hold(type(index).__name__ == kind and coarse in ("IndexFlat", "IndexFlatIP"), "kinds of lists")
    _hold(index.metric_type == index.quantizer.metric_type == faiss.METRIC_INNER_PRODUCT, "kinds of lists")
    _hold((index.quantizer.ntotal, index.quantizer.d) == (index.nlist, index.d), "kinds of lists")


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
    _hold((empty.d, empty.ntotal, empty.nlist) == (full.d, 0, full.nlist), "trained lists")
    _check_kind(empty, _KINDS[index.tier])
    empty.add_with_ids(vectors, np.arange(len(vectors)))
    found, _ = empty.quantizer.search(vectors, 1)
    _hold(bool(np.isfinite(found).all()) and np.isfinite(index.training.distance), "trained lists")


def _whole(array: np.ndarray) -> bool:
    return array.dtype.kind in "iu"


def _rises(array: np.ndarray, first: int, last: int) -> bool:
    """Whether whole numbers rise from `first` to `last`."""
    if not _whole(array) or array.ndim != 1 or not len(array):
        return False
    return int(array[0]) == first and int(array[-1]) == last and bool((array[1:] >= array[:-1]).all())
