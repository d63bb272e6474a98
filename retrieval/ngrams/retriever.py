"""Finds passages by the n-grams of the corpus that a language model writes (SEAL)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from excerpta.types.retrieve import Ngrams

from base.methods import Method
from retrieval import ngrams
from retrieval.ngrams.segment_ngrams import SegmentNgrams
from retrieval.retrievers import AnyRetriever, Found, Networks, Searched, Selection
from retrieval.top import NO_HITS
from retrieval.types import Int64

if TYPE_CHECKING:
    from models.networks.ngram_writer import NgramWriter
    from retrieval.ngrams import NgramMatch


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the model that writes for it: what it may write, the searched collection says."""

    text: str
    writer: NgramWriter


class NgramRetriever:
    """Scores passages by the n-grams that the model writes, and by the question's own phrases."""

    index: ClassVar[type[SegmentNgrams]] = SegmentNgrams
    weight: ClassVar[float] = 0.05
    presets: ClassVar[frozenset[str]] = frozenset({"best"})
    on_device: ClassVar[bool] = True

    def read(self, query: str, networks: Networks) -> Question:
        """The question, and the model."""
        return Question(query, networks.ngram_writer)

    def search(self, read: Question, searched: Searched, selection: Selection, options: Ngrams) -> Found:
        """The best passages by generated n-grams; nothing where the collection has no such index."""
        parts = searched.parts(SegmentNgrams, selection)
        if searched.vocabulary is None or not parts.indexes:
            return Found(NO_HITS)
        found = ngrams.search_ngrams(
            read.writer.lm,
            searched.vocabulary,
            [one.index for one in parts.indexes],
            parts.bases,
            read.text,
            limit=options.limit,
            beams=options.beams,
            length=options.length,
            query_keys=options.query_keys,
            examples=read.writer.examples,
            allowed=parts.allowed,
        )
        return Found(found.hits, found)

    def scores(self, read: Question, searched: Searched, numbers: Int64) -> None:
        """None: what the model would have written for a passage is not known."""
        return

    def ceiling(self, read: Question, searched: Searched) -> None:
        """None: n-grams may weigh anything."""
        return

    def explain(self, read: Question, evidence: Any, searched: Searched, number: int) -> list[NgramMatch]:
        """The n-grams that found a passage, heaviest first; those of its title are left out."""
        if evidence is None:
            return []
        segment, local = searched.place(number)
        base = segment.passages.passage(local).start
        return [
            replace(match, start=base + match.start, end=base + match.end)
            for match in evidence.matches(number)
            if match.start >= 0
        ]


METHOD: Method[Ngrams, AnyRetriever] = Method(
    Ngrams, lambda networks: NgramRetriever(), needs=frozenset({"lm"})
)
