"""One segment's token vectors in FAISS, whose ids are passages: a hit is already (passage, similarity)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np

from retrieval.errors import CorruptSegment, IndexMismatch, InvalidVectors
from retrieval.tokens.vectors import VectorStore
from retrieval.types import Bits, Float32, Int64

FORMAT = 1
FLAT_UP_TO = 200_000
"""Tokens up to which a segment is scanned whole: 90 CPU ms for 100,000 (d = 384) and 20 query tokens."""
_HEADER, _INDEX = "tokens.json", "tokens.faiss"
_PROBES = 32
_POINTS_A_CENTROID = 40
_KMEANS_ITERATIONS = 6


@dataclass(frozen=True, slots=True)
class _Header:
    format: int
    dim: int
    passages: int
    tokens: int
    tier: str


class TokenIndex:
    """Finds the passage tokens nearest to query tokens.

    Up to FLAT_UP_TO tokens the scan is exact over half-precision vectors; above, an inverted file (IVF) over
    8-bit components, whose number of lists grows with the square root of the tokens.
    """

    def __init__(self, header: _Header, index: faiss.Index | None, store: VectorStore) -> None:
        self.dim = header.dim
        self.passages = header.passages
        self.tokens = header.tokens
        self.tier = header.tier
        self._index = index
        self._store = store

    @classmethod
    def build(
        cls, directory: Path, vectors: Sequence[Float32], *, seed: int = 0, flat_up_to: int = FLAT_UP_TO
    ) -> None:
        """Writes the index of passages 0..n-1, given their vectors (n_i, d), into an empty directory.

        Raises InvalidVectors unless all are finite, of one dimension and not zero.
        """
        dim = _check(vectors)
        tokens = sum(map(len, vectors))
        tier = "empty" if not tokens else "flat" if tokens <= flat_up_to else "ivf"
        VectorStore.build(directory, vectors, dim)
        if tokens:
            index = _flat(dim) if tier == "flat" else _ivf(vectors, dim, tokens, seed)
            for passage, one in enumerate(vectors):
                if len(one):
                    index.add_with_ids(
                        np.ascontiguousarray(one, np.float32), np.full(len(one), passage, np.int64)
                    )
            faiss.write_index(index, str(directory / _INDEX))
        header = _Header(FORMAT, dim, len(vectors), tokens, tier)
        (directory / _HEADER).write_text(json.dumps(asdict(header)), "utf-8")

    @classmethod
    def open(cls, directory: Path) -> TokenIndex:
        """Opens an index whose checksums were checked before: FAISS trusts what it reads.

        Raises IndexMismatch for another format, CorruptSegment when the parts do not fit together.
        """
        raw = json.loads((directory / _HEADER).read_text("utf-8"))
        if raw.get("format") != FORMAT:
            raise IndexMismatch("token index format", str(raw.get("format")), str(FORMAT))
        header = _Header(**raw)
        index = faiss.read_index(str(directory / _INDEX)) if header.tokens else None
        store = VectorStore.open(directory)
        if len(store.starts) != header.passages + 1 or (
            index is not None and (index.d, index.ntotal) != (header.dim, header.tokens)
        ):
            raise CorruptSegment(str(directory), "its header does not fit its index")
        return cls(header, index, store)

    def search(self, queries: Float32, k: int, allowed: Bits | None) -> tuple[Float32, Int64]:
        """The `k` tokens nearest to each query token (q, d): similarities (q, k), falling; passages (q, k).

        Only tokens of passages whose bit is set in `allowed` (passages,) are found. NOTHING fills up rows.
        Raises InvalidVectors when the dimension is another.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise InvalidVectors(
                f"query vectors are of shape {queries.shape}, the index has {self.dim} dimensions; "
                "query with the encoder that the index was built with"
            )
        if self._index is None or not len(queries):
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        packed = None if allowed is None else np.packbits(allowed, bitorder="little")
        selector = None if packed is None else faiss.IDSelectorBitmap(self.passages, faiss.swig_ptr(packed))
        if self.tier == "flat":
            parameters = faiss.SearchParameters(sel=selector) if selector else None
        else:
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=self._probes(k))
        similarities, passages = self._index.search(
            np.ascontiguousarray(queries, np.float32), min(k, self.tokens), params=parameters
        )
        return similarities, passages

    def vectors(self, passage: int) -> Float32:
        """The stored vectors (n, d) of one passage."""
        return self._store.passage(passage)

    def _probes(self, k: int) -> int:
        """Lists to read so that they hold a few times the tokens wanted."""
        assert self._index is not None
        lists = int(self._index.nlist)
        return min(lists, max(_PROBES, -(-4 * k * lists // self.tokens)))


def _check(vectors: Sequence[Float32]) -> int:
    dims = {one.shape[1] for one in vectors if one.ndim == 2}
    if len(dims) > 1 or any(one.ndim != 2 for one in vectors):
        raise InvalidVectors(f"passages have vectors of several shapes: dimensions {sorted(dims)}")
    for number, one in enumerate(vectors):
        if len(one):
            norms = np.linalg.norm(one, axis=1)
            if not np.isfinite(norms).all() or not norms.all():
                raise InvalidVectors(f"passage {number} has a vector that is zero or not finite")
    return dims.pop() if dims else 0


def _flat(dim: int) -> faiss.Index:
    codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(codes)


def _ivf(vectors: Sequence[Float32], dim: int, tokens: int, seed: int) -> faiss.Index:
    lists = min(2 ** round(np.log2(4 * np.sqrt(tokens))), tokens)
    index = faiss.index_factory(dim, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter, index.cp.spherical = seed, _KMEANS_ITERATIONS, True
    index.cp.max_points_per_centroid = _POINTS_A_CENTROID
    index.train(_sample(vectors, dim, lists * _POINTS_A_CENTROID, seed))
    return index


def _sample(vectors: Sequence[Float32], dim: int, wanted: int, seed: int) -> Float32:
    """Vectors of randomly chosen passages, about `wanted` of them."""
    chosen, have = [np.zeros((0, dim), np.float32)], 0
    for passage in np.random.default_rng(seed).permutation(len(vectors)):
        chosen.append(vectors[passage])
        have += len(vectors[passage])
        if have >= wanted:
            break
    return np.concatenate(chosen).astype(np.float32)
