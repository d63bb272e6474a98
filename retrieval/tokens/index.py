"""One segment's token vectors: finds the tokens, and so the passages, most similar to a query's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.tokens.errors import InvalidTokenOption
from retrieval.tokens.flat import search_flat
from retrieval.tokens.header import Header, Tier
from retrieval.tokens.ivf import InvertedLists, build_ivf, list_count
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.stored import StoredVectors
from retrieval.tokens.vectors import check_vectors
from retrieval.types import Bits, Float32, Int64

FLAT_UP_TO = 50_000
"""Tokens up to which a segment is compared whole: 35 CPU ms (d = 384, 20 query tokens), without training."""
_FEWEST_LISTED = 256  # fewer cannot train the product codes


class TokenIndex:
    """Nearest tokens by inner product; ids are passage numbers 0..passages-1 of the segment.

    Two tiers. Up to `FLAT_UP_TO` tokens every stored token is compared (exact but for the rounding to 8
    bits). Above, FAISS's inverted lists hold product codes in memory and find most of the nearest; the
    stored vectors, mapped from disk, make the scores exact again when passages are refined. The object
    is immutable and may be shared between threads.
    """

    def __init__(self, header: Header, stored: StoredVectors, lists: InvertedLists | None) -> None:
        self.dim = header.dim
        self.tokens = header.tokens
        self.passages = header.passages
        self.tier: Tier = header.tier
        self.lengths: Int64 = stored.lengths
        self._stored = stored
        self._lists = lists

    @classmethod
    def build(
        cls, directory: Path, vectors: Sequence[Float32], *, seed: int = 0, flat_up_to: int = FLAT_UP_TO
    ) -> None:
        """Writes the index of one (n, d) array of unit vectors a passage into an existing empty directory.

        A passage may have no tokens; then it is never found. The same vectors and seed give the same
        files. Raises InvalidVectors.
        """
        dim = vectors[0].shape[-1] if len(vectors) else 0
        for number, passage in enumerate(vectors):
            check_vectors(passage, dim, f"passage {number}")
        tokens = sum(map(len, vectors))
        tier: Tier = "flat" if tokens <= max(flat_up_to, _FEWEST_LISTED) else "ivf"
        lists = list_count(tokens) if tier == "ivf" else 0
        StoredVectors.write(directory, vectors, dim)
        if tier == "ivf":
            build_ivf(directory, vectors, dim, lists=lists, seed=seed)
        Header(dim=dim, tokens=tokens, passages=len(vectors), tier=tier, lists=lists).write(directory)

    @classmethod
    def open(cls, directory: Path) -> TokenIndex:
        """Opens what `build` wrote, after its checksums held. Raises CorruptSegment and IndexMismatch."""
        header = Header.read(directory)
        stored = StoredVectors.open(directory, tokens=header.tokens, passages=header.passages, dim=header.dim)
        lists = InvertedLists.open(directory, header) if header.tier == "ivf" else None
        return cls(header, stored, lists)

    def search(self, queries: Float32, k: int, allowed: Bits | None) -> tuple[Float32, Int64]:
        """Similarities and passages (q, k) of the `k` nearest tokens of each query vector, best first.

        `allowed` (passages,) bars all other passages inside the scan. Where there is nothing more to
        find the similarity is -inf and the passage NOTHING. Raises InvalidVectors, InvalidTokenOption.
        """
        if k < 1:
            raise InvalidTokenOption("k", k, "at least 1")
        if self.tokens:
            check_vectors(queries, self.dim, "the query")
        similarities = np.full((len(queries), k), -np.inf, np.float32)
        passages = np.full((len(queries), k), NOTHING, np.int64)
        reach = min(k, self.tokens)
        if reach and len(queries):
            found = self._nearest(queries, reach, allowed)
            similarities[:, :reach], passages[:, :reach] = found
        return similarities, passages

    def vectors(self, passage: int) -> Float32:
        """The stored vectors (n, d) of one passage."""
        return self._stored.vectors(passage)

    def maxsim(self, queries: Float32, passages: Int64) -> Float32:
        """Exact mean MaxSim (m,) of passages that have tokens, over the stored vectors."""
        return self._stored.maxsim(queries, passages)

    def passing(self, allowed: Bits | None) -> int:
        """How many tokens the allowed passages have."""
        return self.tokens if allowed is None else int(self.lengths[allowed].sum())

    def _nearest(self, queries: Float32, k: int, allowed: Bits | None) -> tuple[Float32, Int64]:
        if self._lists is not None:
            return self._lists.search(queries, k, allowed, self.passing(allowed))
        return search_flat(self._stored, queries, k, allowed)
