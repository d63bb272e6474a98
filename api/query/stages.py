"""The stages of a query, one method each. They call the stage packages and return candidates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

from excerpta.types import FacetOptions, Facets
from excerpta.types.compress import CompressMethod
from excerpta.types.fuse import FuseMethod
from excerpta.types.rerank import RerankMethod
from excerpta.types.retrieve import RetrieverOptions
from excerpta.types.rewrite import RewriteMethod

from api.access.caller import LOCAL, Caller
from api.answers.writer import Writer
from api.collections.library import Entry, Library
from api.device.networks import Networks
from api.query import plan as plans
from api.query.candidates import (
    Candidate,
    CandidatePassages,
    CandidateTexts,
    Reads,
    Source,
    SourceFound,
    similarity,
)
from api.query.evidence import Evidence, weigh
from api.query.facets import counted
from api.query.listing import Listing, grouped
from api.telemetry.trace import Trace
from base.methods import AUTO
from base.text.terms import terms_of
from compress import Compressed
from context import Held, Turn
from retrieval import TokenVectors
from retrieval.catalogue import METHODS, RETRIEVERS
from retrieval.fusion import CATALOGUE as FUSIONS
from retrieval.retrievers import Found
from retrieval.top import NO_HITS

P = ParamSpec("P")
T = TypeVar("T")

_SURELY_SHORT = 100
"""Characters of a question that every encoder can read."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of one query: networks on the device, searches of indexes in `threads`.

    `salt` keeps what callers have asked apart.
    """

    networks: Networks
    writer: Writer
    library: Library
    threads: ThreadPoolExecutor
    trace: Trace
    salt: str = LOCAL.questions_salt
    held: Held = field(default_factory=Held)

    async def open(
        self,
        entries: Sequence[Entry],
        where: Mapping[str, Any] | None,
        caller: Caller,
    ) -> list[Source]:
        """Opens each collection at its latest version, with the passages that match the filter."""
        return await asyncio.gather(*(self.call(self._open, entry, where, caller) for entry in entries))

    def _open(self, entry: Entry, where: Mapping[str, Any] | None, caller: Caller) -> Source:
        snapshot = self.library.open(entry).snapshot()
        selection = snapshot.allowed(where)
        version = entry.version_base + snapshot.version
        return Source(entry.name, version, snapshot, selection, caller.salt(entry.id).encode())

    async def stand_alone(
        self, question: str, conversation: Sequence[Turn], options: RewriteMethod | None
    ) -> str:
        """The question to search for: what the encoder can read of it, a follow-up made to stand alone."""
        question = await self._readable(question)
        if options is None or not conversation:
            return question
        with self.trace.stage("rewrite"):
            call = self.trace.on(self.networks.device, self.networks.rewrite, conversation, question, options)
            return await self.trace.within("the rewriting of the question", call, question)

    async def _readable(self, question: str) -> str:
        """The part of the question that the encoder can read, with a warning where that is not all."""
        if len(question) <= _SURELY_SHORT:
            return question
        with self.trace.stage("encode"):
            call = self.trace.on(self.networks.device, self.networks.fit_question, question)
            fitted = await self.trace.within("the reading of the question", call, None)
        if fitted is None or not fitted.cut:
            return question
        self.trace.warnings.append(fitted.warning)
        return fitted.text

    async def facets(
        self, sources: Sequence[Source], where: Mapping[str, Any] | None, asked: Sequence[FacetOptions]
    ) -> Facets | None:
        """The documents that the filter allows, counted by metadata fields; None where none is asked for."""
        if not asked:
            return None
        with self.trace.stage("facets"):
            return await self.call(counted, sources, where, asked)

    async def encode(self, query: str) -> TokenVectors | None:
        """The question's token vectors; None if time ran out."""
        with self.trace.stage("encode"):
            encoder = self.networks.of_questions(self.salt)
            call = self.trace.on(self.networks.device, lambda: encoder.encoder.encode_queries([query])[0])
            return await self.trace.within("the encoding of the question", call, None)

    async def read(self, query: str, plan: plans.Retrieve) -> Reads:
        """The question as each retriever of the plan reads it; without those for which time ran out."""
        needing = {name for name in running(plan) if METHODS[name].needs}
        networks = self.networks.of_questions(self.salt)
        if (pinned := networks.pinned(query)) is not None:  # nothing of it goes to the device
            networks = pinned
            needing = {name for name in needing if METHODS[name].needs != {"encoder"}}
        reads = {name: RETRIEVERS[name].read(query, networks) for name in running(plan) - needing}

        def by_networks() -> Reads:
            return {name: RETRIEVERS[name].read(query, networks) for name in needing}

        if needing:
            with self.trace.stage("encode"):
                call = self.trace.on(self.networks.device, by_networks)
                reads |= await self.trace.within("the encoding of the question", call, {})
        return reads

    async def retrieve(
        self, sources: Sequence[Source], reads: Reads, plan: plans.Retrieve
    ) -> list[SourceFound]:
        """The hits of every retriever in every collection. All searches run in parallel."""
        with self.trace.stage("retrieve"):
            return await asyncio.gather(*(self._search(one, reads, plan) for one in sources))

    async def _search(self, source: Source, reads: Reads, plan: plans.Retrieve) -> SourceFound:
        names = [name for name in plan if name in reads]
        found = await asyncio.gather(*(self._by(name, source, reads[name], plan[name]) for name in names))
        return SourceFound(
            source,
            reads,
            {name: one.hits for name, one in zip(names, found, strict=True)},
            {name: one.evidence for name, one in zip(names, found, strict=True)},
        )

    async def _by(self, name: str, source: Source, read: Any, options: RetrieverOptions | None) -> Found:
        """What one retriever finds in one collection."""
        assert options is not None
        search = partial(source.snapshot.search, name, read, options, selection=source.selection)
        what = f"retrieval by {name}"
        if not RETRIEVERS[name].on_device:
            return await self.trace.within(what, self.call(search), Found(NO_HITS))
        with self.trace.stage(name):
            call = self.trace.on(self.networks.device, search)
            return await self.trace.within(what, call, Found(NO_HITS))

    async def fuse(self, found: Sequence[SourceFound], options: FuseMethod) -> list[Candidate]:
        """One list of candidates; those of several collections by their fused scores, ties by id."""
        with self.trace.stage("fuse"):
            return await self.call(_fuse, found, options)

    async def group(self, candidates: list[Candidate], options: plans.Group | None) -> list[Candidate]:
        """One candidate a group, the best."""
        if options is None:
            return candidates
        with self.trace.stage("group"):
            return await self.call(grouped, candidates, options.by)

    def above(self, candidates: list[Candidate], listing: Listing, plan: plans.Plan) -> list[Candidate]:
        """The candidates that the plan's last stage gives the least score, if it came to that."""
        stage = "fused" if plan.rerank is None else "rerank"
        scored = not candidates or any(stage in one.scores for one in candidates)
        if listing.min_score is not None and not scored:
            self.trace.warnings.append("min_score was not applied: it is on the scale of reranking")
            return candidates
        return listing.above(candidates, stage)

    async def rerank(
        self, query: str, candidates: list[Candidate], options: RerankMethod | None
    ) -> list[Candidate]:
        """The first candidates in a new order; the others follow as they were."""
        if options is None or not candidates:
            return candidates
        first = candidates[: options.limit]
        passages = CandidatePassages(first, self.networks, self.held)
        with self.trace.stage("rerank"):
            call = self.trace.on(self.networks.device, self.networks.rerank, query, passages, options)
            ranking = await self.trace.within("reranking", call, None)
        if ranking is None:
            return candidates
        if ranking.tokens_read:
            self.held.others += len(first)
        if ranking.cut:
            self.trace.warnings.append(f"reranking read only the beginning of {ranking.cut} passages")
        for rank, at in enumerate(ranking.order.tolist()):
            first[at].ranks["rerank"] = rank
            first[at].scores["rerank"] = float(ranking.scores[at])
        return [first[at] for at in ranking.order.tolist()] + candidates[options.limit :]

    async def compress(
        self,
        query: str,
        candidates: Sequence[Candidate],
        options: CompressMethod | None,
        vectors: TokenVectors | None,
    ) -> tuple[list[str], int]:
        """The candidates' texts within the budget and how many tokens they have; whole without a budget."""
        source = CandidateTexts(candidates, vectors)
        texts = list(source.texts)
        if options is None or not texts:
            return texts, 0
        with self.trace.stage("compress"):
            call = self.trace.on(self.networks.device, self._compress, query, source, options)
            shortened = await self.trace.within("compression", call, None)
        if shortened is None:
            return texts, 0
        for one, short in zip(candidates, shortened, strict=True):
            one.kept = short.kept
        return [short.text for short in shortened], sum(short.tokens_after for short in shortened)

    def _compress(
        self, query: str, source: CandidateTexts, options: CompressMethod
    ) -> list[Compressed] | None:
        """The texts within the budget; None where the plan leaves it to the cost and that is not worth it."""
        if options.when == AUTO:
            verdict = self.networks.worth_compressing(source.texts, options)
            self.trace.notes["compress"] = verdict.reason
            if not verdict.compress:
                return None
        return self.networks.compress(query, source, options)

    async def weigh(
        self, query: str, candidates: Sequence[Candidate], vectors: TokenVectors | None
    ) -> Evidence:
        """The evidence for an answer in these passages."""
        with self.trace.stage("support"):
            return await self.call(_weigh, query, candidates, vectors)

    async def call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a blocking call in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(call, *args, **kwargs))


def running(plan: plans.Retrieve) -> set[str]:
    """The retrievers that a plan runs."""
    return {name for name, options in plan.items() if options is not None}


def _fuse(found: Sequence[SourceFound], options: FuseMethod) -> list[Candidate]:
    candidates = [candidate for one in found for candidate in _fuse_one(one, options)]
    candidates.sort(key=_fused_score, reverse=True)
    ranked: list[Candidate] = []
    for _, equal in groupby(candidates, _fused_score):
        ties = list(equal)
        if len(ties) > 1:  # only then are passages read for their ids
            ties.sort(key=lambda one: (one.passage.id, one.found.source.name))
        ranked += ties
    for rank, candidate in enumerate(ranked):
        candidate.ranks["fused"] = rank
    return ranked


def _fused_score(candidate: Candidate) -> float:
    return candidate.scores["fused"]


def _fuse_one(found: SourceFound, options: FuseMethod) -> list[Candidate]:
    lists, hits = found.source.snapshot.fused(
        found.lists,
        reads=found.reads,
        fusion=FUSIONS.of(options).make(None),
        options=options,
    )
    scores = {
        name: dict(zip(one.numbers.tolist(), one.scores.tolist(), strict=True)) for name, one in lists.items()
    }
    places = {
        name: {number: rank for rank, number in enumerate(one.numbers.tolist())}
        for name, one in found.lists.items()
    }
    candidates = []
    for number, score in zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True):
        candidate = Candidate(found, number)
        for name, ranks in places.items():
            if number in ranks:
                candidate.ranks[name] = ranks[number]
        candidate.scores = {name: known[number] for name, known in scores.items() if number in known}
        candidate.scores["fused"] = score
        candidates.append(candidate)
    return candidates


def _weigh(query: str, candidates: Sequence[Candidate], vectors: TokenVectors | None) -> Evidence:
    sources = {one.found.source.name: one.found.source for one in candidates}.values()
    words = {term: word for word in query.split() for term in terms_of(word)}

    def frequency(term: str) -> int:
        # By the word itself: the stem of a stem may be another one.
        word = words.get(term, term)
        return sum(one.snapshot.frequency(word, one.selection) for one in sources)

    return weigh(
        query,
        [one.indexed_text for one in candidates],
        similarities=[similarity(one, vectors) for one in candidates],
        frequency=frequency,
        total=sum(one.selection.count for one in sources),
    )
