"""BM25 over all segments of a snapshot, with statistics common to all."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np

from retrieval.lexical.analysis import terms_of
from retrieval.lexical.terms import Terms
from retrieval.types import Bits, Float32, Hits

K1, B = 0.9, 0.4
"""Anserini's values, tuned on news and web passages."""


class Bm25:
    """Scores passages as Lucene does (Robertson and Zaragoza 2009, with Lucene's idf).

    The segments' words become one index, so cutting a collection into segments never changes a score;
    passages are numbered through the segments in the order given.
    """

    def __init__(self, segments: Sequence[Terms]) -> None:
        self.passages = sum(segment.passages for segment in segments)
        self._numbers: dict[str, int] = {}
        ids = [term for segment in segments for term in self._renumbered(segment)]
        self._index: bm25s.BM25 | None = None
        if self._numbers:
            self._index = bm25s.BM25(method="lucene", k1=K1, b=B)
            self._index.index((ids, self._numbers), show_progress=False, create_empty_token=False)

    def _renumbered(self, segment: Terms) -> list[list[int]]:
        common = np.array(
            [self._numbers.setdefault(term, len(self._numbers)) for term in segment.vocabulary], np.int32
        )
        ids = common[segment.ids] if len(common) else segment.ids
        return [
            ids[start:end].tolist()
            for start, end in zip(segment.starts[:-1], segment.starts[1:], strict=True)
        ]

    def search(self, query: str, *, limit: int, allowed: Bits | None) -> Hits:
        """The best `limit` passages that share a term with the query, ties by number.

        `allowed` (passages,) leaves out passages whose bit is not set; document frequencies still count them.
        """
        scores = self._scores(query)
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        found = np.nonzero(scores > 0)[0]
        order = np.lexsort((found, -scores[found]))[:limit]
        numbers = found[order].astype(np.int64)
        return Hits(numbers, scores[numbers].astype(np.float32))

    def _scores(self, query: str) -> Float32:
        wanted = [self._numbers[term] for term in terms_of(query) if term in self._numbers]
        if self._index is None or not wanted:
            return np.zeros(self.passages, np.float32)
        scores: Float32 = self._index.get_scores_from_ids(wanted)
        return scores
