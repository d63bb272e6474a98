"""BM25 over all segments of a snapshot, with statistics common to all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bm25s
import numpy as np

from base.text.terms import terms_of
from retrieval.lexical.terms import Terms
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64

K1, B = 0.9, 0.4
"""Anserini's values, tuned on news and web passages."""


class Bm25:
    """Scores passages as Lucene does (Robertson and Zaragoza 2009, with Lucene's idf).

    The segments' words become one index, so cutting a collection into segments never changes a score;
    passages are numbered through the segments in the order given. Each (term, passage) pair's score is
    computed at the start, 8 bytes a pair, and a query only adds them up.
    """

    def __init__(self, segments: Sequence[Terms]) -> None:
        self.passages = sum(segment.passages for segment in segments)
        self._numbers: dict[str, int] = {}
        self._index = bm25s.BM25(method="lucene", k1=K1, b=B)
        self._index.nonoccurrence_array = None
        # bm25s would build the same matrix from Python lists of words, some ten times slower.
        self._index.scores = self._matrix(segments)

    def search(self, query: str, *, limit: int, allowed: Bits | None) -> Hits:
        """The best `limit` passages that share a term with the query, ties by number.

        `allowed` (passages,) leaves out passages whose bit is not set; document frequencies still count them.
        """
        wanted = self._wanted(query)
        if not wanted:
            return NO_HITS
        scores = self._index.get_scores_from_ids(wanted, weight_mask=allowed)
        found = np.flatnonzero(scores)
        return best_hits(found, scores[found], limit)

    def scores(self, query: str, numbers: Int64) -> Float32:
        """The scores of these passages; 0 for those that share no term with the query."""
        wanted = self._wanted(query)
        if not wanted:
            return np.zeros(len(numbers), np.float32)
        scores: Float32 = self._index.get_scores_from_ids(wanted)[numbers]
        return scores

    def frequency(self, word: str, *, allowed: Bits | None) -> int:
        """How many passages have a term of the word; only those that `allowed` (passages,) lets by."""
        wanted = self._wanted(word)
        starts, passages = self._index.scores["indptr"], self._index.scores["indices"]
        having = [passages[starts[term] : starts[term + 1]] for term in wanted]
        found = having[0] if len(having) == 1 else np.unique(np.concatenate([*having, passages[:0]]))
        return len(found) if allowed is None else int(np.count_nonzero(allowed[found]))

    def ceiling(self, query: str) -> float:
        """An upper bound of all scores: every query term at its highest possible frequency.

        Terms that no passage has count as the rarest possible.
        """
        frequencies = np.diff(self._index.scores["indptr"])
        return float(
            sum(
                self._idf(frequencies[self._numbers[term]] if term in self._numbers else 0)
                for term in terms_of(query)
            )
        )

    def _wanted(self, query: str) -> list[int]:
        return [self._numbers[term] for term in terms_of(query) if term in self._numbers]

    def _idf(self, frequencies: Any) -> Any:
        return np.log1p((self.passages - frequencies + 0.5) / (frequencies + 0.5))

    def _matrix(self, segments: Sequence[Terms]) -> dict[str, object]:
        """Scores by term, then passage, in compressed columns, as bm25s keeps them."""
        lengths = np.concatenate([np.zeros(0, np.int32), *(segment.lengths for segment in segments)])
        counts = np.concatenate([np.zeros(0, np.int32), *(segment.counts for segment in segments)])
        terms = np.concatenate([np.zeros(0, np.int32), *(self._renumbered(segment) for segment in segments)])
        distinct = np.concatenate([np.zeros(0, np.int64), *(np.diff(segment.starts) for segment in segments)])
        passages = np.repeat(np.arange(self.passages, dtype=np.int32), distinct)
        frequencies = np.bincount(terms, minlength=len(self._numbers))
        idf = self._idf(frequencies)
        mean = lengths.sum() / max(1, self.passages) or 1.0  # 1 where there are no words to score
        saturation = K1 * (1 - B + B * lengths / mean)
        scores = idf[terms] * counts / (counts + saturation[passages])
        order = np.argsort(terms, kind="stable")
        return {
            "data": scores[order].astype(np.float32),
            "indices": passages[order],
            "indptr": np.cumsum([0, *frequencies]),
            "num_docs": self.passages,
        }

    def _renumbered(self, segment: Terms) -> np.ndarray:
        """A segment's term numbers as numbers of the common vocabulary, which grows by its new terms."""
        numbers = self._numbers
        common = np.array([numbers.setdefault(term, len(numbers)) for term in segment.vocabulary], np.int32)
        return common[segment.terms]
