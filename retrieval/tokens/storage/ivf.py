"""Approximate search of many tokens: inverted lists of short codes (FAISS)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.tokens.faiss_facts import check_faiss
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.storage.header import Header, Tier, Training
from retrieval.types import Bits, Float32, Int64

_FILE = "tokens.faiss"
_TRAINED = "trained.faiss"  # the same index before any token was added, for others to inherit
_TRAINING_TOKENS = 32  # a list, for k-means
_ITERATIONS = 5
_FEWEST_PROBES = 24
# Lists are probed until they hold this many times the tokens asked for, so that the last one retrieved
# is a true bound on the rest and not merely the end of what was looked at.
_REACH = 2
_ADD_ROWS = 16_384
_MEASURED = 4_096  # tokens whose distance to their centroids says how well these fit
# An inherited quantiser is trained anew when new tokens lie this much farther from its centroids than
# those it was trained on, or when there are this many times more.
_DRIFT, _GROWTH = 1.15, 4


@dataclass(frozen=True, slots=True)
class Inherited:
    """Where an index lies whose lists may serve another, and how they were trained."""

    directory: Path
    training: Training


class Trainer(Protocol):
    """Trains lists and assigns tokens to them, faster than FAISS."""

    def train(self, index: Any, sample: Float32, seed: int) -> None:
        """Gives an empty FAISS index its centroids and codebooks."""

    def assigner(self, index: Any) -> Callable[[Float32], Int64]:
        """What gives each row (n, d) its list (n,): that of the most similar centroid."""


def list_count(tokens: int) -> int:
    """Inverted lists for so many tokens: the power of two nearest to 4 * sqrt(tokens).

    >>> [list_count(tokens) for tokens in (1, 100_000, 1_000_000)]
    [4, 1024, 4096]
    """
    return int(2 ** round(float(np.log2(4 * np.sqrt(tokens)))))


def probe_count(k: int, lists: int, passing: int, most: int | None = None) -> int:
    """Lists to probe for the `k` nearest of the tokens that pass a filter.

    >>> probe_count(1_000, 1_024, passing=20_000), probe_count(1_000, 1_024, passing=20_000, most=96)
    (103, 96)
    """
    probes = max(_FEWEST_PROBES, int(np.ceil(_REACH * k * lists / max(1, passing))))
    return min(lists, probes, most or lists)


def build_ivf(
    directory: Path,
    vectors: Sequence[Float32],
    dim: int,
    *,
    tier: Tier,
    seed: int,
    like: Inherited | None = None,
    trainer: Trainer | None = None,
    indexed: Callable[[int, int], None] | None = None,
) -> tuple[int, Training]:
    """Adds every token under its passage's number and writes the index; returns its lists, their training.

    The centroids and codebooks are those of the index `like`, unless that is of another tier or they do
    not fit these tokens; then they are trained on a seeded sample. A `trainer` does that, and chooses each
    token's list, in place of FAISS; the files are of the same form. `indexed` takes the tokens that are
    added so far, and how many there are.
    """
    check_faiss()
    inherited = _inherited(vectors, dim, seed, like)
    index, training = inherited or _trained(vectors, dim, tier, seed, trainer)
    faiss.write_index(index, str(directory / _TRAINED))
    filled = index
    if trainer is None:
        for numbers, rows in _pieces(vectors, indexed):
            index.add_with_ids(rows, numbers)
    else:
        filled = _filled(index, vectors, trainer, indexed)
    faiss.write_index(filled, str(directory / _FILE))
    return index.nlist, training


def _filled(
    index: Any,
    vectors: Sequence[Float32],
    trainer: Trainer,
    indexed: Callable[[int, int], None] | None,
) -> Any:
    """The index with all tokens, whose lists the trainer chose and whose codes FAISS made.

    Fast scan takes no lists from outside, so its codes are made by the plain index and then packed. What is
    returned shares the centroids of `index`, which must outlive it.
    """
    product = hasattr(index, "pq")
    plain = index
    if product:
        plain = faiss.IndexIVFPQ(index.quantizer, index.d, index.nlist, index.pq.M, 4, index.metric_type)
        faiss.copy_array_to_vector(faiss.vector_to_array(index.pq.centroids), plain.pq.centroids)
        plain.is_trained = True
    assign = trainer.assigner(index)
    for numbers, rows in _pieces(vectors, indexed):
        lists = assign(rows)
        plain.add_core(len(rows), *map(faiss.swig_ptr, (rows, numbers, lists)))
    return faiss.IndexIVFPQFastScan(plain, index.bbs) if product else plain


@dataclass(frozen=True, eq=False)
class InvertedLists:
    """An opened index; safe to search from several threads."""

    index: Any
    lists: int

    @classmethod
    def open(cls, directory: Path, header: Header) -> InvertedLists:
        """Reads the FAISS file, whose checksum must have held. Raises CorruptSegment if it is not ours.

        The compact tier is mapped: the system drops and fetches its pages as it likes. Fast-scan codes
        can only be read whole.
        """
        check_faiss()
        path = directory / _FILE
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if header.tier == "compact" else 0)
        except RuntimeError as error:
            raise CorruptSegment(str(path), "FAISS cannot read it") from error
        found = (index.d, index.ntotal, getattr(index, "nlist", 0))
        if found != (header.dim, header.tokens, header.lists):
            raise CorruptSegment(str(path), f"holds another index than its header says ({found})")
        return cls(index, header.lists)

    def search(
        self, queries: Float32, k: int, allowed: Bits | None, passing: int, *, most_probes: int | None = None
    ) -> tuple[Float32, Int64]:
        """The `k` most similar tokens of each query vector among those probed, best first.

        Places that nothing could fill have -inf and NOTHING. `allowed` (passages,) is tested inside the
        scan; `passing` is how many tokens it lets through. `most_probes` gives up earlier than the lists
        suggest.
        """
        selector = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # keeps no copy: `bits` must outlive the search
        settings = faiss.SearchParametersIVF(
            nprobe=probe_count(k, self.lists, passing, most_probes), sel=selector
        )
        similarities, passages = self.index.search(np.ascontiguousarray(queries), k, params=settings)
        similarities[passages == NOTHING] = -np.inf
        return similarities, passages

    def bounds(self, queries: Float32, tokens: int) -> Float32:
        """The similarity (q,) to the centroid at which the lists, nearest first, have held `tokens` tokens.

        A cheap guess of what was not retrieved, from the sizes of clusters (WARP; Scheerer et al. 2025).
        """
        probes = probe_count(tokens, self.lists, self.index.ntotal)
        similarities, lists = self.index.quantizer.search(np.ascontiguousarray(queries), probes)
        held = np.cumsum(self._sizes[lists], axis=1)
        at = np.minimum((held < tokens).sum(axis=1), probes - 1)
        found: Float32 = np.take_along_axis(similarities, at[:, None], axis=1)[:, 0]
        return found

    @cached_property
    def _sizes(self) -> Int64:
        return np.array([self.index.invlists.list_size(one) for one in range(self.lists)], np.int64)


def _factory(dim: int, lists: int, tier: Tier) -> str:
    if tier == "compact":
        return f"IVF{lists},RaBitQ"
    per_code = 1 if tier == "fine" or dim % 2 else 2
    return f"IVF{lists},PQ{dim // per_code}x4fsr"


def _trained(
    vectors: Sequence[Float32], dim: int, tier: Tier, seed: int, trainer: Trainer | None
) -> tuple[Any, Training]:
    tokens = sum(map(len, vectors))
    index = faiss.index_factory(dim, _factory(dim, list_count(tokens), tier), faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = seed
    if hasattr(index, "pq"):
        index.pq.cp.seed = seed
        index.pq.cp.min_points_per_centroid = 1
    index.cp.niter = _ITERATIONS
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = _TRAINING_TOKENS
    # Unit vectors are compared by angle, so centroids are unit vectors too.
    index.cp.spherical = True
    sample = _sample(vectors, index.nlist * _TRAINING_TOKENS, seed)
    if trainer is None:
        index.train(sample)
    else:
        trainer.train(index, sample, seed)
    return index, Training(tokens, _distance(index, vectors, seed))


def _inherited(
    vectors: Sequence[Float32], dim: int, seed: int, like: Inherited | None
) -> tuple[Any, Training] | None:
    """An empty index with the lists and codes of another, or None if they would serve these tokens badly."""
    if like is None or sum(map(len, vectors)) > _GROWTH * like.training.tokens:
        return None
    try:
        index = faiss.read_index(str(like.directory / _TRAINED))
    except RuntimeError:
        return None  # its segment has been merged away meanwhile
    if index.d != dim or _distance(index, vectors, seed) > _DRIFT * like.training.distance:
        return None
    return index, like.training


def _distance(index: Any, vectors: Sequence[Float32], seed: int) -> float:
    """Mean distance, 1 - similarity, of a sample of tokens to their centroids."""
    similarities, _ = index.quantizer.search(_sample(vectors, _MEASURED, seed), 1)
    return float(1 - similarities.mean())


def _sample(vectors: Sequence[Float32], size: int, seed: int) -> Float32:
    """At most `size` of all tokens, picked without repetition."""
    ends = np.cumsum([len(passage) for passage in vectors])
    picked = np.arange(ends[-1])
    if size < len(picked):
        picked = np.sort(np.random.default_rng(seed).choice(ends[-1], size, replace=False))
    owners = np.searchsorted(ends, picked, side="right")
    bounds = np.searchsorted(owners, np.arange(len(vectors) + 1))
    starts = ends - [len(passage) for passage in vectors]
    sample = np.empty((len(picked), vectors[0].shape[1]), np.float32)
    for passage, start, lo, hi in zip(vectors, starts, bounds[:-1], bounds[1:], strict=True):
        sample[lo:hi] = passage[picked[lo:hi] - start]
    return sample


def _pieces(
    vectors: Sequence[Float32], taken: Callable[[int, int], None] | None
) -> Iterator[tuple[Int64, Float32]]:
    """(passage numbers, rows) in runs of whole passages, so that no second copy of everything is made.

    `taken` is called after each run, with the rows so far and in all.
    """
    first = rows = done = 0
    tokens = sum(map(len, vectors))
    for last, passage in enumerate(vectors, start=1):
        rows += len(passage)
        if rows >= _ADD_ROWS or last == len(vectors):
            run = vectors[first:last]
            numbers = np.repeat(np.arange(first, last), [len(member) for member in run])
            yield numbers, np.concatenate(run, dtype=np.float32)
            first, rows, done = last, 0, done + rows
            if taken is not None:
                taken(done, tokens)
