"""A snapshot: one version of a collection, held open for a whole query."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from excerpta.types.fuse import FuseMethod

from models import LanguageModel
from retrieval.collections import filters
from retrieval.collections.versions import View
from retrieval.fusion import Fusion, fuse
from retrieval.lexical import Bm25
from retrieval.ngrams import NgramHits, NgramMatch, search_ngrams
from retrieval.segments import Segment
from retrieval.tokens import DeviceSearch, TokenOptions, exact_scores, match_tokens, search_tokens
from retrieval.top import NO_HITS, best_hits
from retrieval.types import Bits, Float32, Hits, Int64, Metadata, Passage, TokenVectors, Vocabulary


@dataclass(frozen=True, slots=True)
class Selection:
    """The passages a search may find: one bitmap a segment, None where all of it passes."""

    bits: tuple[Bits | None, ...]
    count: int

    def joined(self, sizes: Sequence[int]) -> Bits | None:
        """One bitmap over all segments, whose numbers of passages are `sizes`."""
        if all(bits is None for bits in self.bits):
            return None
        return np.concatenate(
            [
                np.ones(size, bool) if bits is None else bits
                for bits, size in zip(self.bits, sizes, strict=True)
            ]
        )


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """A query token and the passage token nearest to it, as characters of the query and of the document."""

    query: tuple[int, int]
    start: int
    end: int
    similarity: float


class Snapshot:
    """Searches one version. It is a context manager, so that the code shows how long a query holds it.

    Passage numbers count through the segments of this version and mean nothing in another.
    """

    def __init__(
        self,
        view: View,
        vocabulary: Vocabulary | None,
        bm25: Callable[[Sequence[Segment]], Bm25],
        accelerator: DeviceSearch | None = None,
    ) -> None:
        self._view = view
        self._vocabulary = vocabulary
        self._bm25 = bm25
        self._accelerator = accelerator
        self._sizes = [len(segment.passages) for segment in view.segments]
        self._bases = [0, *np.cumsum(self._sizes).tolist()]
        self.version = view.manifest.version
        self.passages = self._bases[-1]

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def allowed(self, filter: Mapping[str, Any] | None = None) -> Selection:  # noqa: A002
        """The live passages whose documents pass the filter. Raises InvalidFilter."""
        condition = None
        if filter:
            condition = filters.parse(filter)
            if self._view.segments:
                filters.check(condition, self._view.kinds)
        bits: list[Bits | None] = []
        count = 0
        for segment, live in zip(self._view.segments, self._view.live, strict=True):
            documents = live
            if condition is not None:
                passing = filters.evaluate(condition, segment.columns)
                documents = passing if documents is None else passing & documents
            chosen = None if documents is None else documents[segment.passages.owners]
            bits.append(chosen)
            count += len(segment.passages) if chosen is None else int(chosen.sum())
        return Selection(tuple(bits), count)

    def tokens(self, query: Float32, options: TokenOptions, *, selection: Selection) -> Hits:
        """Passages by XTR, for a query's token vectors (q, d); the first `refine` by exact MaxSim."""
        return search_tokens(
            [segment.tokens for segment in self._view.segments],
            self._bases[:-1],
            query,
            options,
            allowed=selection.bits,
            accelerator=self._accelerator,
        )

    def lexical(self, query: str, *, limit: int, selection: Selection) -> Hits:
        """Passages by BM25."""
        if not self._view.segments:
            return NO_HITS
        allowed = selection.joined(self._sizes)
        return self._bm25(self._view.segments).search(query, limit=limit, allowed=allowed)

    def ngrams(
        self,
        lm: LanguageModel,
        query: str,
        *,
        limit: int,
        beams: int,
        length: int,
        query_keys: bool,
        selection: Selection,
    ) -> NgramHits:
        """Passages by generated n-grams; nothing where the collection was built without that index."""
        indexes = [segment.ngrams for segment in self._view.segments if segment.ngrams is not None]
        if self._vocabulary is None or not indexes:
            return NgramHits(NO_HITS)
        return search_ngrams(
            lm,
            self._vocabulary,
            indexes,
            self._bases[:-1],
            query,
            limit=limit,
            beams=beams,
            length=length,
            query_keys=query_keys,
            allowed=selection.bits,
        )

    def completed(self, lists: Mapping[str, Hits], *, query: str, vectors: Float32 | None) -> dict[str, Hits]:
        """Each list with what only the others found, so that all passages have scores by all retrievers.

        Words are scored by BM25, tokens by exact MaxSim, the list's own passages too: XTR's guesses for
        those that were not refined would stand beside exact scores. Generated n-grams stay as they were
        found. `vectors` (q, d) are the query's. Lists come back sorted.
        """
        numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.numbers for one in lists.values())]))
        completed = dict(lists)
        if "tokens" in lists and vectors is not None:
            indexes = [segment.tokens for segment in self._view.segments]
            scores = exact_scores(indexes, self._bases[:-1], vectors, numbers)
            completed["tokens"] = best_hits(numbers, scores, len(numbers))
        if "lexical" in lists and self._view.segments:
            scores = self._bm25(self._view.segments).scores(query, numbers)
            found = scores > 0
            completed["lexical"] = best_hits(numbers[found], scores[found], len(numbers))
        return completed

    def fused(
        self,
        lists: Mapping[str, Hits],
        *,
        query: str,
        vectors: Float32 | None,
        fusion: Fusion,
        options: FuseMethod,
    ) -> tuple[Mapping[str, Hits], Hits]:
        """The lists as they were fused, and what became of them (`retrieval.fusion.fuse`).

        A fusion that needs it has several lists completed first; a score's ceiling is 1 for tokens, the
        query's for words.
        """
        if not fusion.completes or not self._view.segments:
            return lists, fuse(lists, fusion, options)
        completed = lists if len(lists) < 2 else self.completed(lists, query=query, vectors=vectors)
        ceilings = {"tokens": 1.0, "lexical": self._bm25(self._view.segments).ceiling(query)}
        return completed, fuse(completed, fusion, options, ceilings=ceilings)

    def numbers(self, selection: Selection) -> Int64:
        """The numbers (n,) of the passages that a selection lets through, in order."""
        allowed = selection.joined(self._sizes)
        return np.arange(self.passages) if allowed is None else np.flatnonzero(allowed)

    def passage(self, number: int) -> Passage:
        """One passage, whole."""
        segment, local = self._place(number)
        return segment.passages.passage(local)

    def vectors(self, number: int) -> Float32:
        """The token vectors (n, dim) of one passage, as its index stores them."""
        segment, local = self._place(number)
        return segment.tokens.vectors(local)

    def metadata(self, number: int) -> Metadata:
        """The metadata of a passage's document."""
        segment, local = self._place(number)
        return segment.passages.metadata[int(segment.passages.owners[local])]

    def explain_tokens(self, number: int, query: TokenVectors) -> list[TokenMatch]:
        """For each query token the passage token nearest to it; those nearest to a title are left out."""
        segment, local = self._place(number)
        start = segment.passages.passage(local).start
        offsets = segment.token_offsets(local)
        return [
            TokenMatch(
                (int(query.offsets[token, 0]), int(query.offsets[token, 1])),
                start + int(offsets[at, 0]),
                start + int(offsets[at, 1]),
                similarity,
            )
            for token, at, similarity in match_tokens(query.vectors, segment.tokens.vectors(local))
            if offsets[at, 0] >= 0
        ]

    def token_similarities(self, number: int, query: Float32) -> tuple[Float32, Int64]:
        """Similarities (q, n) of query vectors (q, d) to a passage's own tokens, and their characters (n, 2).

        The characters are of the document; tokens of a title are left out.
        """
        segment, local = self._place(number)
        offsets = segment.token_offsets(local).astype(np.int64)
        own = offsets[:, 0] >= 0
        similarities: Float32 = query @ segment.tokens.vectors(local)[own].T
        return similarities, offsets[own] + segment.passages.passage(local).start

    def explain_ngrams(self, number: int, hits: NgramHits) -> list[NgramMatch]:
        """The n-grams that found a passage, heaviest first; those of its title are left out."""
        segment, local = self._place(number)
        base = segment.passages.passage(local).start
        return [
            NgramMatch(match.text, match.weight, base + match.start, base + match.end)
            for match in hits.matches(number)
            if match.start >= 0
        ]

    def _place(self, number: int) -> tuple[Segment, int]:
        segment = int(np.searchsorted(self._bases, number, side="right")) - 1
        return self._view.segments[segment], number - int(self._bases[segment])


class Bm25Cache:
    """The BM25 index of the latest set of segments, made when first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: tuple[str, ...] = ()
        self._index: Bm25 | None = None

    def __call__(self, segments: Sequence[Segment]) -> Bm25:
        """The index over these segments."""
        names = tuple(segment.name for segment in segments)
        with self._lock:
            if self._index is None or names != self._names:
                self._index = Bm25([segment.terms for segment in segments])
                self._names = names
            return self._index
