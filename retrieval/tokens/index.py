"""One segment's token vectors: finds the tokens, and so the passages, most similar to a query's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrieval.tokens.errors import InvalidTokenOption
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.storage.flat import Nearest
from retrieval.tokens.storage.header import Header, Tier, Training
from retrieval.tokens.storage.ivf import Inherited, InvertedLists, Trainer, build_ivf
from retrieval.tokens.storage.stored import StoredVectors
from retrieval.tokens.vectors import check_vectors
from retrieval.types import Bits, Float32, Int64

FLAT_UP_TO = 50_000
"""Tokens up to which a segment is compared whole, without training."""
FLAT_BESIDE = 16_384
"""The same where the lists of another segment can be inherited, so that nothing must be trained."""
_FEWEST_LISTED = 256  # fewer cannot train the product codes
# Comparing this many tokens exactly costs as much as a search; where a filter leaves no more, none is made.
EXACT_UP_TO = 32_768
# How many lists a search may probe for a filter's sake when passages are refined afterwards.
REFINED_PROBES = 96


class TokenIndex:
    """Nearest tokens by inner product; ids are passage numbers 0..passages-1 of the segment.

    Up to `FLAT_UP_TO` tokens every stored token is compared (exact but for the rounding to 8 bits). Above,
    FAISS's inverted lists find most of the nearest by short codes: `fast`, 4 bits for every two dimensions
    in memory; `fine`, 4 bits a dimension; `compact`, 1 bit a dimension (RaBitQ), mapped from disk. A tier
    of `flat` compares always. The stored vectors, mapped from disk, make the scores exact again when
    passages are refined. The object is immutable and may be shared between threads.
    """

    def __init__(
        self, directory: Path, header: Header, stored: StoredVectors, lists: InvertedLists | None
    ) -> None:
        self.directory = directory
        self.training = header.training
        self.dim = header.dim
        self.tokens = header.tokens
        self.passages = header.passages
        self.tier: Tier = header.tier
        self.lengths: Int64 = stored.lengths
        self._stored = stored
        self._lists = lists

    @classmethod
    def build(
        cls,
        directory: Path,
        vectors: Sequence[Float32],
        *,
        tier: Tier = "fast",
        like: TokenIndex | None = None,
        seed: int = 0,
        flat_up_to: int | None = None,
        trainer: Trainer | None = None,
        indexed: Callable[[int, int], None] | None = None,
    ) -> None:
        """Writes the index of one (n, d) array of unit vectors a passage into an existing empty directory.

        A passage may have no tokens; then it is never found. `like` is an index of the same collection,
        whose trained lists are used again while they fit. A `trainer` trains lists in place of FAISS.
        `indexed` takes the tokens that are in lists so far, and how many there are.
        The same vectors, seed, `like` and trainer give the same files. Raises InvalidVectors.
        """
        dim = vectors[0].shape[-1] if len(vectors) else 0
        for number, passage in enumerate(vectors):
            check_vectors(passage, dim, f"passage {number}")
        tokens = sum(map(len, vectors))
        heir = like if like is not None and like.tier == tier and like.dim == dim else None
        if flat_up_to is None:
            flat_up_to = FLAT_BESIDE if heir else FLAT_UP_TO
        if tokens <= max(flat_up_to, _FEWEST_LISTED):
            tier = "flat"
        StoredVectors.write(directory, vectors, dim)
        lists, training = 0, Training()
        if tier != "flat":
            lists, training = build_ivf(
                directory,
                vectors,
                dim,
                tier=tier,
                seed=seed,
                like=Inherited(heir.directory, heir.training) if heir else None,
                trainer=trainer,
                indexed=indexed,
            )
        Header(
            dim=dim, tokens=tokens, passages=len(vectors), tier=tier, lists=lists, training=training
        ).write(directory)

    @classmethod
    def open(cls, directory: Path) -> TokenIndex:
        """Opens what `build` wrote, after its checksums held. Raises CorruptSegment and IndexMismatch."""
        header = Header.read(directory)
        stored = StoredVectors.open(directory, tokens=header.tokens, passages=header.passages, dim=header.dim)
        lists = None if header.tier == "flat" else InvertedLists.open(directory, header)
        return cls(directory, header, stored, lists)

    @property
    def stored(self) -> StoredVectors:
        """The vectors of all tokens, mapped from disk."""
        return self._stored

    @property
    def lists(self) -> InvertedLists | None:
        """The inverted lists, where it has any."""
        return self._lists

    def search(
        self,
        queries: Float32,
        k: int,
        allowed: Bits | None,
        *,
        refined: bool = False,
    ) -> tuple[Float32, Int64]:
        """Similarities and passages (q, k) of the `k` nearest tokens of each query vector, in any order.

        `allowed` (passages,) bars all other passages inside the scan. Where there is nothing more to
        find the similarity is -inf and the passage NOTHING. Where a filter leaves few tokens a list,
        fewer than k may be found if the passages are `refined` afterwards.
        Raises InvalidVectors, InvalidTokenOption.
        """
        if k < 1:
            raise InvalidTokenOption("k", k, "at least 1")
        if self.tokens:
            check_vectors(queries, self.dim, "the query")
        similarities = np.full((len(queries), k), -np.inf, np.float32)
        passages = np.full((len(queries), k), NOTHING, np.int64)
        reach = min(k, self.tokens)
        if reach and len(queries):
            found = self._nearest(queries, reach, allowed, refined)
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

    def bounds(self, queries: Float32, tokens: int) -> Float32 | None:
        """A guess (q,) of the best similarity beyond the `tokens` nearest, by cluster sizes."""
        return None if self._lists is None else self._lists.bounds(queries, min(tokens, self.tokens))

    def _nearest(
        self, queries: Float32, k: int, allowed: Bits | None, refined: bool
    ) -> tuple[Float32, Int64]:
        if self._lists is None:
            nearest = Nearest(queries, k)
            nearest.add(self._stored, 0, allowed)
            return nearest.found()
        most = REFINED_PROBES if refined and allowed is not None else None
        return self._lists.search(queries, k, allowed, self.passing(allowed), most_probes=most)
