"""Candidates: passages on their way through the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from excerpta.types import Place

from api.device.networks import Networks, filed_under
from compress import TokenSimilarities
from context import ContextPassage, Held
from rerank import Absent
from rerank.base import Float32, TermWeights
from retrieval import Hits, Passage, Selection, Snapshot, TokenVectors
from retrieval.places import places_of
from retrieval.segments import indexed_text

Reads: TypeAlias = dict[str, Any]
"""What each retriever has read of a question."""


@dataclass(frozen=True, slots=True)
class Source:
    """One collection, held at one version for one query. `version` counts the collection's commits."""

    name: str
    version: int
    snapshot: Snapshot
    selection: Selection
    salt: bytes


@dataclass(frozen=True, slots=True)
class SourceFound:
    """The hits of each retriever in one collection."""

    source: Source
    reads: Reads
    lists: dict[str, Hits]
    evidence: dict[str, Any]


@dataclass(slots=True)
class Candidate:
    """A passage with its scores and ranks (from 0) by stage.

    `read` is the passage, once it has been read: of a long list only the first ones are. `others` are the
    further passages of its group. `kept` are the spans that compression kept.
    """

    found: SourceFound
    number: int
    read: Passage | None = None
    scores: dict[str, float] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    others: list[Candidate] = field(default_factory=list)
    kept: tuple[tuple[int, int], ...] | None = None

    @property
    def passage(self) -> Passage:
        """The passage, read when it is first asked for."""
        if self.read is None:
            self.read = self.found.source.snapshot.passage(self.number)
        return self.read

    @property
    def key(self) -> tuple[str, int]:
        """Its collection and its number there: no two candidates of a query share both."""
        return self.found.source.name, self.number

    @property
    def indexed_text(self) -> str:
        """The text that retrievers index: the passage with its title and headings in front."""
        return indexed_text(self.passage)[0]

    def read_as(self, text: str) -> ContextPassage:
        """The passage in the form that an answer reads, with `text` in place of its own."""
        document = filed_under(self.found.source.name, self.passage.document_id)
        return ContextPassage(self.passage.context, text, document, self.found.source.salt)

    def places(self, start: int, end: int) -> list[Place]:
        """The pages and rows of a span of the document, in the reply's form."""
        return [
            Place(kind=kind, first=first, last=last)
            for kind, first, last in places_of(self.passage.marks, start, end)
        ]

    @property
    def score(self) -> float:
        """The score of the last stage that gave one."""
        return self.scores.get("rerank", self.scores.get("fused", 0.0))


@dataclass(frozen=True, slots=True)
class CandidatePassages:
    """The candidates in the form that rerankers read: texts, and evidence from the index and the store.

    Used on the device's thread.
    """

    candidates: Sequence[Candidate]
    networks: Networks
    held: Held

    @property
    def texts(self) -> Sequence[str]:
        """The text that retrieval read of each passage, title and headings before it."""
        return [one.indexed_text for one in self.candidates]

    def vectors(self) -> Sequence[Float32]:
        """Token vectors (n, dim) of each passage, out of the index."""
        return [one.found.source.snapshot.vectors(one.number) for one in self.candidates]

    def impacts(self) -> Sequence[TermWeights]:
        """Raises Absent: no index of this service stores term weights yet."""
        raise Absent("stored term weights")

    def likelihoods(self, question: str) -> Sequence[float]:
        """Mean log p(question token | passage) over cached blocks; missing blocks are encoded."""
        passages = [one.read_as(one.passage.text) for one in self.candidates]
        return self.networks.engine.saliency(question, passages, held=self.held)


@dataclass(frozen=True, slots=True)
class CandidateTexts:
    """The candidates in the form that compressors read: what an answer reads, and what the index lends.

    `question` are the question's token vectors.
    """

    candidates: Sequence[Candidate]
    question: TokenVectors | None

    @property
    def texts(self) -> Sequence[str]:
        """The text of each passage, without its title."""
        return [one.passage.text for one in self.candidates]

    def similarities(self) -> Sequence[TokenSimilarities] | None:
        """Of each passage's own tokens to the question's, by their vectors in the index."""
        if self.question is None:
            return None
        found = []
        for one in self.candidates:
            values, offsets = one.found.source.snapshot.token_similarities(one.number, self.question.vectors)
            found.append(TokenSimilarities(values, offsets - one.passage.start))
        return found


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """Loose texts that the encoder reads, to compare them with a question. Used on the device's thread."""

    query: str
    texts: Sequence[str]
    networks: Networks

    def similarities(self) -> Sequence[TokenSimilarities]:
        """Of each text's tokens to the question's, by one reading of each text."""
        question = self.networks.encode_query(self.networks.fit_question(self.query).text).vectors
        found = []
        for text in self.networks.encoder.encode_passages(self.texts):
            own = text.offsets[:, 0] >= 0
            values = question @ text.vectors[own].T
            found.append(TokenSimilarities(values, text.offsets[own].astype(np.int64)))
        return found


def similarity(candidate: Candidate, vectors: TokenVectors | None) -> float:
    """The mean cosine of the question's tokens to their nearest ones in the passage, its title left out."""
    if vectors is None:
        return 0.0
    return candidate.found.source.snapshot.similarity(candidate.number, vectors.vectors)
