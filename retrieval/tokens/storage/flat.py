"""Exact search: every stored token is compared, and the nearest are kept as they come."""

from __future__ import annotations

import numpy as np

from retrieval.tokens.kernels import keep_nearest
from retrieval.tokens.scoring import NOTHING
from retrieval.tokens.storage.stored import StoredVectors
from retrieval.types import Bits, Float32, Int64


class Nearest:
    """The `k` most similar tokens of each query vector (q, d), over any number of segments.

    What is less similar than `floors` (q,) is passed over. The more has been compared, the less is worth
    keeping: so segments that are searched into one of these cost little more than their products.
    """

    def __init__(self, queries: Float32, k: int, floors: Float32 | None = None) -> None:
        rows = len(queries)
        self._queries = np.ascontiguousarray(queries, np.float32)
        self._k = k
        self._floors = np.full(rows, -np.inf, np.float32) if floors is None else floors.astype(np.float32)
        self._counts = np.zeros(rows, np.int64)
        self._similarities = np.empty((rows, 0), np.float32)
        self._passages = np.empty((rows, 0), np.int64)

    def add(self, stored: StoredVectors, base: int, allowed: Bits | None) -> None:
        """Compares a segment's tokens, those of the `allowed` (passages,); its passages count from `base`."""
        members = np.arange(len(stored.lengths)) if allowed is None else np.flatnonzero(allowed)
        self._make_room(int(stored.lengths.max(initial=0)))
        done = 0
        while done < len(members):
            self._keep_best()
            done = keep_nearest(
                stored.codes,
                stored.scales,
                stored.starts,
                members,
                base,
                done,
                self._queries,
                self._floors,
                self._counts,
                self._similarities,
                self._passages,
            )

    def found(self) -> tuple[Float32, Int64]:
        """Similarities and passages (q, k) in any order; places that nothing could fill have -inf, NOTHING.

        Of tokens equal to the last any may be the ones left out.
        """
        self._make_room(0)
        self._keep_best()
        empty = np.arange(self._k) >= self._counts[:, None]
        similarities, passages = self._similarities[:, : self._k], self._passages[:, : self._k]
        similarities[empty], passages[empty] = -np.inf, NOTHING
        return similarities, passages

    def _make_room(self, longest: int) -> None:
        """Room for the k best and as many again, or for one passage of `longest` tokens."""
        missing = self._k + max(self._k, longest) - self._similarities.shape[1]
        if missing > 0:
            more = ((0, 0), (0, missing))
            self._similarities = np.pad(self._similarities, more)
            self._passages = np.pad(self._passages, more)

    def _keep_best(self) -> None:
        """Brings each row with more than `k` down to its best, and raises its floor to the least of them."""
        for row in np.flatnonzero(self._counts > self._k).tolist():
            held = slice(0, int(self._counts[row]))
            best = np.argpartition(self._similarities[row, held], -self._k)[-self._k :]
            self._similarities[row, : self._k] = self._similarities[row, best]
            self._passages[row, : self._k] = self._passages[row, best]
            self._counts[row] = self._k
            self._floors[row] = self._similarities[row, : self._k].min()
