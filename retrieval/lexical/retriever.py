"""Finds passages by their words (BM25)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from excerpta.types.retrieve import Lexical

from base.methods import Method
from retrieval.lexical.bm25 import Bm25
from retrieval.lexical.segment_terms import SegmentTerms
from retrieval.retrievers import AnyRetriever, Found, Networks, Searched, Selection
from retrieval.top import NO_HITS
from retrieval.types import Float32, Int64


class LexicalRetriever:
    """Scores passages by the words that they share with the question."""

    index: ClassVar[type[SegmentTerms]] = SegmentTerms
    weight: ClassVar[float] = 0.4
    presets: ClassVar[frozenset[str]] = frozenset({"fast", "balanced", "best"})
    on_device: ClassVar[bool] = False

    def read(self, query: str, networks: Networks) -> str:
        """The question, whose words need no network."""
        return query

    def search(self, read: str, searched: Searched, selection: Selection, options: Lexical) -> Found:
        """The best passages by BM25."""
        if not searched.segments:
            return Found(NO_HITS)
        allowed = selection.joined(searched.sizes)
        return Found(_bm25(searched).search(read, limit=options.limit, allowed=allowed))

    def scores(self, read: str, searched: Searched, numbers: Int64) -> Float32:
        """BM25 of each passage; none where it shares no word with the question."""
        scores = _bm25(searched).scores(read, numbers)
        return np.where(scores > 0, scores, np.float32(np.nan))

    def ceiling(self, read: str, searched: Searched) -> float:
        """Every word of the question at its highest possible frequency."""
        return _bm25(searched).ceiling(read)

    def explain(self, read: str, evidence: Any, searched: Searched, number: int) -> list[Any]:
        """Nothing: the words are there to be seen."""
        return []

    def frequency(self, word: str, searched: Searched, selection: Selection) -> int:
        """How many passages of the selection have a word."""
        if not searched.segments:
            return 0
        return _bm25(searched).frequency(word, allowed=selection.joined(searched.sizes))


def _bm25(searched: Searched) -> Bm25:
    """The words of all segments as one index."""

    def made() -> Bm25:
        return Bm25([one.terms for one in searched.parts(SegmentTerms).indexes])

    return searched.shared.get(SegmentTerms.name, searched.segments, made)


METHOD: Method[Lexical, AnyRetriever] = Method(Lexical, lambda networks: LexicalRetriever())
