"""Approximate search of many tokens: inverted lists of 4-bit product codes (FAISS)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.tokens.header import Header
from retrieval.tokens.scoring import NOTHING
from retrieval.types import Bits, Float32, Int64

_FILE = "tokens.faiss"
_TRAINING_TOKENS = 40  # a list, for k-means
_ITERATIONS = 6
_FEWEST_PROBES = 32
# Lists are probed until they hold this many times the tokens asked for, so that the last one retrieved
# is a true bound on the rest and not merely the end of what was looked at.
_REACH = 2
_ADD_ROWS = 65_536


def list_count(tokens: int) -> int:
    """Inverted lists for so many tokens: the power of two nearest to 4 * sqrt(tokens).

    >>> [list_count(tokens) for tokens in (1, 100_000, 1_000_000)]
    [4, 1024, 4096]
    """
    return int(2 ** round(float(np.log2(4 * np.sqrt(tokens)))))


def build_ivf(directory: Path, vectors: Sequence[Float32], dim: int, *, lists: int, seed: int) -> None:
    """Trains on a seeded sample, adds every token under its passage's number, and writes the index.

    In memory a token takes d/4 bytes of code (4 bits for every two dimensions) and 8 for its passage.
    """
    index = faiss.index_factory(dim, f"IVF{lists},PQ{_code_parts(dim)}x4fsr", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = index.pq.cp.seed = seed
    index.cp.niter = _ITERATIONS
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = _TRAINING_TOKENS
    # Unit vectors are compared by angle, so centroids are unit vectors too.
    index.cp.spherical = True
    index.train(_sample(vectors, lists * _TRAINING_TOKENS, seed))
    for numbers, rows in _pieces(vectors):
        index.add_with_ids(rows, numbers)
    faiss.write_index(index, str(directory / _FILE))


@dataclass(frozen=True, slots=True)
class InvertedLists:
    """An opened index; safe to search from several threads."""

    index: Any
    lists: int

    @classmethod
    def open(cls, directory: Path, header: Header) -> InvertedLists:
        """Reads the FAISS file, whose checksum must have held. Raises CorruptSegment if it is not ours."""
        path = directory / _FILE
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise CorruptSegment(str(path), "FAISS cannot read it") from error
        found = (index.d, index.ntotal, getattr(index, "nlist", 0))
        if found != (header.dim, header.tokens, header.lists):
            raise CorruptSegment(str(path), f"holds another index than its header says ({found})")
        return cls(index, header.lists)

    def search(self, queries: Float32, k: int, allowed: Bits | None, passing: int) -> tuple[Float32, Int64]:
        """The `k` most similar tokens of each query vector among those probed, best first.

        Places that nothing could fill have -inf and NOTHING. `allowed` (passages,) is tested inside the
        scan; `passing` is how many tokens it lets through.
        """
        selector = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # keeps no copy: `bits` must outlive the search
        probes = int(np.ceil(_REACH * k * self.lists / max(1, passing)))
        settings = faiss.SearchParametersIVF(
            nprobe=min(self.lists, max(_FEWEST_PROBES, probes)), sel=selector
        )
        similarities, passages = self.index.search(np.ascontiguousarray(queries), k, params=settings)
        similarities[passages == NOTHING] = -np.inf
        return similarities, passages


def _code_parts(dim: int) -> int:
    return dim // 2 if dim % 2 == 0 else dim


def _sample(vectors: Sequence[Float32], size: int, seed: int) -> Float32:
    """At most `size` of all tokens, picked without repetition."""
    ends = np.cumsum([len(passage) for passage in vectors])
    picked = np.arange(ends[-1])
    if size < len(picked):
        picked = np.sort(np.random.default_rng(seed).choice(ends[-1], size, replace=False))
    owners = np.searchsorted(ends, picked, side="right")
    bounds = np.searchsorted(owners, np.arange(len(vectors) + 1))
    starts = ends - [len(passage) for passage in vectors]
    return np.concatenate(
        [
            passage[picked[lo:hi] - start]
            for passage, start, lo, hi in zip(vectors, starts, bounds[:-1], bounds[1:], strict=True)
        ],
        dtype=np.float32,
    )


def _pieces(vectors: Sequence[Float32]) -> Iterator[tuple[Int64, Float32]]:
    """(passage numbers, rows) in runs of whole passages, so that no second copy of everything is made."""
    first = rows = 0
    for last, passage in enumerate(vectors, start=1):
        rows += len(passage)
        if rows >= _ADD_ROWS or last == len(vectors):
            run = vectors[first:last]
            numbers = np.repeat(np.arange(first, last), [len(member) for member in run])
            yield numbers, np.concatenate(run, dtype=np.float32)
            first, rows = last, 0
