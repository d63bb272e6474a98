"""A snapshot: one version of a collection, held open for a whole query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from excerpta.types.fuse import FuseMethod
from excerpta.types.retrieve import RetrieverOptions

from retrieval.catalogue import RETRIEVERS
from retrieval.collections import filters
from retrieval.collections.facets import Counted
from retrieval.collections.versions import Version
from retrieval.fusion import Fusion, fuse
from retrieval.retrievers import Found, Match, Searched, Selection, WordCounter
from retrieval.tokens.matching import match_tokens
from retrieval.top import best_hits
from retrieval.types import Bits, Float32, Hits, Int64, Metadata, Passage


class Snapshot:
    """Searches one version. It is a context manager, so that the code shows how long a query holds it.

    Passage numbers count through the segments of this version and mean nothing in another.
    """

    def __init__(self, version: Version, searched: Searched) -> None:
        self._version = version
        self.searched = searched
        self.version = version.manifest.version
        self.passages = searched.bases[-1]

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def fields(self) -> Mapping[str, set[str]]:
        """Each metadata field that a live document has, and the kinds of its values."""
        return self._version.kinds

    def documents(self, filter: Mapping[str, Any] | None = None) -> tuple[Bits | None, ...]:  # noqa: A002
        """The live documents that pass the filter, a segment each; None: all. Raises InvalidFilter."""
        if not filter:
            return self._version.live
        condition = filters.parse(filter)
        if self.searched.segments:
            filters.check(condition, self._version.kinds)
        passing = [filters.evaluate(condition, segment.columns) for segment in self.searched.segments]
        return tuple(
            bits if live is None else bits & live
            for bits, live in zip(passing, self._version.live, strict=True)
        )

    def allowed(self, filter: Mapping[str, Any] | None = None) -> Selection:  # noqa: A002
        """The live passages whose documents pass the filter. Raises InvalidFilter."""
        bits: list[Bits | None] = []
        count = 0
        for segment, documents in zip(self.searched.segments, self.documents(filter), strict=True):
            chosen = None if documents is None else documents[segment.passages.owners]
            bits.append(chosen)
            count += len(segment.passages) if chosen is None else int(chosen.sum())
        return Selection(tuple(bits), count)

    def counted(self, field: str, documents: Sequence[Bits | None]) -> Counted:
        """How many of these documents have which value of a field. Raises InvalidField."""
        counted = Counted(field)
        for segment, chosen in zip(self.searched.segments, documents, strict=True):
            counted.add(segment.columns, chosen)
        return counted

    def has(self, name: str) -> bool:
        """Whether the collection was made with what this retriever searches."""
        return RETRIEVERS[name].index.belongs(self._version.manifest.settings)

    def search(self, name: str, read: Any, options: RetrieverOptions, *, selection: Selection) -> Found:
        """The passages that a retriever finds; `read` is what it has read of the question."""
        return RETRIEVERS[name].search(read, self.searched, selection, options)

    def completed(self, lists: Mapping[str, Hits], *, reads: Mapping[str, Any]) -> dict[str, Hits]:
        """Each list with what only the others found, so that all passages have scores by all retrievers.

        A list whose retriever cannot score what it has not found stays as it is, and so does one without a
        read question. Lists come back sorted.
        """
        numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.numbers for one in lists.values())]))
        completed = dict(lists)
        for name in lists.keys() & reads.keys() if self.searched.segments else ():
            exact = lists[name].exact
            found, missing = lists[name].numbers[:exact], np.setdiff1d(numbers, lists[name].numbers[:exact])
            scores = RETRIEVERS[name].scores(reads[name], self.searched, missing)
            if scores is not None:
                known = ~np.isnan(scores)
                completed[name] = best_hits(
                    np.concatenate([found, missing[known]]),
                    np.concatenate([lists[name].scores[:exact], scores[known]]),
                    len(numbers),
                )
        return completed

    def fused(
        self,
        lists: Mapping[str, Hits],
        *,
        reads: Mapping[str, Any],
        fusion: Fusion,
        options: FuseMethod,
    ) -> tuple[Mapping[str, Hits], Hits]:
        """The lists as they were fused, and what became of them (`retrieval.fusion.fuse`).

        A fusion that needs it has several lists completed first, and is told each retriever's ceiling.
        """
        weights = {name: RETRIEVERS[name].weight for name in lists}
        if not fusion.completes or not self.searched.segments:
            return lists, fuse(lists, fusion, options, weights=weights)
        completed = lists if len(lists) < 2 else self.completed(lists, reads=reads)
        bounds = {
            name: RETRIEVERS[name].ceiling(reads[name], self.searched) for name in lists if name in reads
        }
        ceilings = {name: bound for name, bound in bounds.items() if bound is not None}
        return completed, fuse(completed, fusion, options, weights=weights, ceilings=ceilings)

    def explain(self, name: str, read: Any, evidence: Any, number: int) -> Sequence[Match]:
        """Why a retriever found a passage; `evidence` is that of its search."""
        return RETRIEVERS[name].explain(read, evidence, self.searched, number)

    def frequency(self, word: str, selection: Selection) -> int:
        """How many passages of the selection have a word."""
        counter = next(one for one in RETRIEVERS.values() if isinstance(one, WordCounter))
        return counter.frequency(word, self.searched, selection)

    def numbers(self, selection: Selection) -> Int64:
        """The numbers (n,) of the passages that a selection lets through, in order."""
        allowed = selection.joined(self.searched.sizes)
        return np.arange(self.passages) if allowed is None else np.flatnonzero(allowed)

    def passage(self, number: int) -> Passage:
        """One passage, whole."""
        segment, local = self.searched.place(number)
        return segment.passages.passage(local)

    def vectors(self, number: int) -> Float32:
        """The token vectors (n, dim) of one passage, as its index stores them."""
        segment, local = self.searched.place(number)
        return segment.token_vectors.vectors(local)

    def metadata(self, number: int) -> Metadata:
        """The metadata of a passage's document."""
        segment, local = self.searched.place(number)
        return segment.passages.metadata[int(segment.passages.owners[local])]

    def token_similarities(self, number: int, query: Float32) -> tuple[Float32, Int64]:
        """Similarities (q, n) of query vectors (q, d) to a passage's own tokens, and their characters (n, 2).

        The characters are of the document; tokens of a title are left out.
        """
        segment, local = self.searched.place(number)
        offsets = segment.token_vectors.offsets(local).astype(np.int64)
        own = offsets[:, 0] >= 0
        similarities: Float32 = query @ segment.token_vectors.vectors(local)[own].T
        return similarities, offsets[own] + segment.passages.passage(local).start

    def similarity(self, number: int, query: Float32) -> float:
        """The mean cosine of query vectors (q, d) to their nearest ones in a passage, its title left out."""
        segment, local = self.searched.place(number)
        offsets = segment.token_vectors.offsets(local)
        near = match_tokens(query, segment.token_vectors.vectors(local))
        own = [similarity for _, at, similarity in near if offsets[at, 0] >= 0]
        return sum(own) / len(own) if own else 0.0
