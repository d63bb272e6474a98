"""BM25 over all segments of a snapshot, with statistics common to all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bm25s
import numpy as np

from retrieval.lexical.analysis import CURRENT, QUESTIONS, weighted
from retrieval.lexical.terms import Terms
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64

K1, B = 0.9, 0.4
"""Anserini's values, tuned on news and web passages."""


class Bm25:
    """Scores passages as Lucene does (Robertson and Zaragoza 2009, with Lucene's idf).

    The segments' words become one index, so cutting a collection into segments never changes a score;
    passages are numbered through the segments in the order given. Each (term, passage) pair's score is
    computed at the start, 8 bytes a pair, and a query only adds them up. Segments that were read by an
    earlier analysis are asked for the terms that it has for the query.
    """

    def __init__(self, segments: Sequence[Terms]) -> None:
        self.passages = sum(segment.passages for segment in segments)
        self._numbers: dict[str, int] = {}
        self._read_by = _passages_by_analysis(segments)
        self._index = bm25s.BM25(method="lucene", k1=K1, b=B)
        self._index.nonoccurrence_array = None
        # bm25s would build the same matrix from Python lists of words, some ten times slower.
        self._index.scores = self._matrix(segments)

    def search(self, query: str, *, limit: int, allowed: Bits | None) -> Hits:
        """The best `limit` passages that share a term with the query, ties by number.

        `allowed` (passages,) leaves out passages whose bit is not set; document frequencies still count them.
        """
        scores = self._all_scores(query, allowed)
        if scores is None:
            return NO_HITS
        found = np.flatnonzero(scores)
        return best_hits(found, scores[found], limit)

    def scores(self, query: str, numbers: Int64) -> Float32:
        """The scores of these passages; 0 for those that share no term with the query."""
        scores = self._all_scores(query, None)
        return np.zeros(len(numbers), np.float32) if scores is None else scores[numbers]

    def frequency(self, word: str, *, allowed: Bits | None) -> int:
        """How many passages have a term of the word; only those that `allowed` (passages,) lets by."""
        having = np.zeros(self.passages, bool)
        starts, passages = self._index.scores["indptr"], self._index.scores["indices"]
        for name, read_by in self._read_by.items():
            words = (self._numbers.get(term) for term, _, _ in QUESTIONS[name](word).words)
            for term in (one for one in words if one is not None):
                found = passages[starts[term] : starts[term + 1]]
                having[found if read_by is None else found[read_by[found]]] = True
        return int(np.count_nonzero(having if allowed is None else having & allowed))

    def ceiling(self, query: str) -> float:
        """An upper bound of all scores: every term of the query at its highest possible frequency.

        Words that no passage has count as the rarest possible; other spellings that none has do not count.
        """
        starts = self._index.scores["indptr"]

        def highest(term: str) -> float:
            number = self._numbers.get(term)
            return float(self._idf(0 if number is None else starts[number + 1] - starts[number]))

        return max(
            sum(weight * highest(term) for term, weight in self._terms(query, name))
            for name in self._read_by or [CURRENT]
        )

    def _all_scores(self, query: str, allowed: Bits | None) -> Float32 | None:
        """The scores of all passages (passages,), 0 where not allowed; None for a query of unknown terms."""
        total: Float32 | None = None
        for name, read_by in self._read_by.items():
            mask = allowed if read_by is None else read_by if allowed is None else read_by & allowed
            wanted: dict[float, list[int]] = {}
            for term, weight in self._terms(query, name):
                if term in self._numbers:
                    wanted.setdefault(weight, []).append(self._numbers[term])
            for weight, terms in wanted.items():
                scores = np.float32(weight) * self._index.get_scores_from_ids(terms, weight_mask=mask)
                total = scores if total is None else total + scores
        return total

    def _terms(self, query: str, analysis: str) -> list[tuple[str, float]]:
        return list(weighted(QUESTIONS[analysis](query), self._numbers))

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


def _passages_by_analysis(segments: Sequence[Terms]) -> dict[str, Bits | None]:
    """The passages (passages,) that were read by each analysis; None where it was all of them."""
    names = list(dict.fromkeys(segment.analysis for segment in segments))
    if len(names) == 1:
        return {names[0]: None}
    return {
        name: np.concatenate([np.full(one.passages, one.analysis == name) for one in segments])
        for name in names
    }
