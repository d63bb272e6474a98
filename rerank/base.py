"""The input of a reranker, its interface and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from excerpta.types.rerank import RerankMethod
from numpy.typing import NDArray

from rerank.errors import Absent

Float32: TypeAlias = NDArray[np.float32]
TermWeights: TypeAlias = Mapping[str, float]
O_contra = TypeVar("O_contra", bound=RerankMethod, contravariant=True)


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of the given passages.

    `order` (n,) holds indices into the input, best first, a permutation always; `scores` (n,)
    belongs to the input positions, on the method's own scale. `forward_passes` and `tokens_read`
    count its cost. `cut` is how many passages the model's context had to cut shorter than the options do, in
    the window where it was most.
    """

    order: NDArray[np.int64]
    scores: NDArray[np.float64]
    forward_passes: int
    tokens_read: int
    cut: int = 0

    @classmethod
    def by(cls, scores: NDArray[np.float64], *, forward_passes: int = 0, tokens_read: int = 0) -> Ranking:
        """The ranking by descending scores (n,); equal scores keep the input order.

        >>> Ranking.by(np.array([1.0, 3.0, 1.0])).order.tolist()
        [1, 0, 2]
        """
        order = np.argsort(-scores, kind="stable").astype(np.int64)
        return cls(order, scores, forward_passes, tokens_read)

    @classmethod
    def unchanged(cls, count: int) -> Ranking:
        """The input order, all scores 0: nothing to rank by."""
        return cls(np.arange(count, dtype=np.int64), np.zeros(count), 0, 0)


class Passages(Protocol):
    """The passages to rank. Everything but the texts may be missing: those methods then raise Absent."""

    @property
    def texts(self) -> Sequence[str]:
        """The text that retrieval read of each passage, title and headings before it."""
        ...

    def vectors(self) -> Sequence[Float32]:
        """Token vectors (n, dim) of each passage, out of the index."""
        ...

    def impacts(self) -> Sequence[TermWeights]:
        """Stored term weights of each passage."""
        ...

    def likelihoods(self, question: str) -> Sequence[float]:
        """Mean log p(question token | passage) over cached blocks; it costs the question's tokens."""
        ...


@dataclass(frozen=True, slots=True)
class Texts:
    """Loose texts as passages, without data in an index or a store.

    >>> Texts(["a", "b"]).texts
    ['a', 'b']
    """

    texts: Sequence[str]

    def vectors(self) -> Sequence[Float32]:
        """Raises Absent."""
        raise Absent("token vectors")

    def impacts(self) -> Sequence[TermWeights]:
        """Raises Absent."""
        raise Absent("term weights")

    def likelihoods(self, question: str) -> Sequence[float]:
        """Raises Absent."""
        raise Absent("cached blocks")


class Reranker(Protocol[O_contra]):
    """Ranks passages for a query by indices and floats, never by parsing strings."""

    def rank(self, query: str, passages: Passages, options: O_contra) -> Ranking:
        """Ranks the passages for `query`; no passages give an empty ranking. Raises Absent."""
        ...


AnyReranker: TypeAlias = Reranker[Any]
