"""Finds passages by the similarity of contextual token vectors (XTR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from excerpta.types.retrieve import Tokens

from base.methods import Method
from retrieval.retrievers import AnyRetriever, Found, Networks, Searched, Selection
from retrieval.tokens.matching import match_tokens
from retrieval.tokens.search import TokenOptions, exact_scores, search_tokens
from retrieval.tokens.segment_tokens import SegmentTokens
from retrieval.types import Float32, Hits, Int64, Passage, TokenVectors


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """A query token and the passage token nearest to it, as characters of the query and of the document."""

    query: tuple[int, int]
    start: int
    end: int
    similarity: float

    def row(self, query: str, passage: Passage) -> tuple[str, str, float, int, int]:
        """Both tokens, their similarity, and the characters of the passage's."""
        own = passage.text[self.start - passage.start : self.end - passage.start]
        return query[slice(*self.query)], own, round(self.similarity, 4), self.start, self.end


class TokenRetriever:
    """Scores passages by the tokens that each token of the question retrieves; the best by exact MaxSim."""

    index: ClassVar[type[SegmentTokens]] = SegmentTokens
    weight: ClassVar[float] = 1.0
    presets: ClassVar[frozenset[str]] = frozenset({"fast", "balanced", "best"})
    on_device: ClassVar[bool] = False

    def read(self, query: str, networks: Networks) -> TokenVectors:
        """The question's token vectors."""
        return networks.encoder.encode_queries([query])[0]

    def search(self, read: TokenVectors, searched: Searched, selection: Selection, options: Tokens) -> Found:
        """The best passages by XTR; the first `refine` by exact MaxSim."""
        settings = TokenOptions(**msgspec.structs.asdict(options))
        return Found(find(searched, read.vectors, settings, selection))

    def scores(self, read: TokenVectors, searched: Searched, numbers: Int64) -> Float32:
        """Exact MaxSim: XTR's guesses for those not refined would stand beside exact scores."""
        parts = searched.parts(SegmentTokens)
        return exact_scores([one.index for one in parts.indexes], parts.bases, read.vectors, numbers)

    def ceiling(self, read: TokenVectors, searched: Searched) -> float:
        """The similarity of equal vectors."""
        return 1.0

    def explain(self, read: TokenVectors, evidence: Any, searched: Searched, number: int) -> list[TokenMatch]:
        """For each query token the passage token nearest to it; those nearest to a title are left out."""
        segment, local = searched.place(number)
        index = segment.indexes.get(SegmentTokens.name)
        if not isinstance(index, SegmentTokens):
            return []
        start, offsets = segment.passages.passage(local).start, index.offsets(local)
        return [
            TokenMatch(
                (int(read.offsets[token, 0]), int(read.offsets[token, 1])),
                start + int(offsets[at, 0]),
                start + int(offsets[at, 1]),
                similarity,
            )
            for token, at, similarity in match_tokens(read.vectors, index.vectors(local))
            if offsets[at, 0] >= 0
        ]


def find(searched: Searched, query: Float32, options: TokenOptions, selection: Selection) -> Hits:
    """The best passages for a query's token vectors (q, d)."""
    parts = searched.parts(SegmentTokens, selection)
    indexes: Sequence[Any] = [one.index for one in parts.indexes]
    return search_tokens(
        indexes, parts.bases, query, options, allowed=parts.allowed, accelerator=searched.accelerator
    )


METHOD: Method[Tokens, AnyRetriever] = Method(
    Tokens, lambda networks: TokenRetriever(), needs=frozenset({"encoder"})
)
