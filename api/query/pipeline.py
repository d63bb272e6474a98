"""A query, end to end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from excerpta.types import DeltaEvent, DoneEvent, HitsEvent, StreamEvent, Usage

from api.access.caller import Caller
from api.answers.request import AnswerRequest
from api.collections.library import Entry
from api.query.answer import CitedAnswer
from api.query.candidates import Candidate, Reads, Source
from api.query.facets import check_fields
from api.query.hits import hits_of
from api.query.listing import TEXT, Listing, deeper, extended, followed_by, is_short
from api.query.plan import Plan, Retrieve
from api.query.stages import Stages, running
from context import FilledPrompt, Held, Turn
from context.rewriting.base import plain
from retrieval import TokenVectors

MOST_CHARACTERS = 4000
"""Characters of the instructions and earlier messages that the model reads."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question with its collections and its complete plan.

    `text` is what was asked, after the earlier messages of the `conversation`. The answer follows
    `instructions` and uses the prompt's `modules`. `deepest` are the retrievers where the list needs more
    than they find by the plan.
    """

    id: str
    caller: Caller
    entries: Sequence[Entry]
    text: str
    conversation: Sequence[Turn]
    instructions: str
    filter: Mapping[str, Any] | None
    listing: Listing
    plan: Plan
    deepest: Retrieve
    explain: bool | Literal["matrix"]
    profile: str
    modules: FilledPrompt | None

    def answer_request(
        self, question: str, candidates: Sequence[Candidate], texts: Sequence[str], held: Held
    ) -> AnswerRequest:
        """The request for the answer. `texts` are the candidates' texts as the model reads them."""
        assert self.plan.answer is not None
        before = said_before(self.instructions, self.conversation)
        return AnswerRequest(
            question=f"{before}\n\n{question}" if before else question,
            passages=[one.read_as(text) for one, text in zip(candidates, texts, strict=True)],
            context=self.plan.context,
            options=self.plan.answer,
            explain=bool(self.explain),
            modules=self.modules,
            held=held,
        )


def said_before(instructions: str, conversation: Sequence[Turn]) -> str:
    """The instructions and the last messages that fit, as the model reads them before the question.

    >>> said_before("Be brief.", [Turn("user", "Who?"), Turn("assistant", "Ada [1].")])
    'Instructions: Be brief.\\nUser: Who?\\nAssistant: Ada.'
    """
    room = MOST_CHARACTERS - len(instructions)
    spoken: list[str] = []
    for turn in reversed(conversation):
        line = f"{turn.speaker.title()}: {plain(turn.text)}"
        room -= len(line)
        if room < 0:
            break
        spoken.append(line)
    first = [f"Instructions: {' '.join(instructions.split())}"] if instructions.strip() else []
    return "\n".join([*first, *reversed(spoken)])


async def run(query: Query, stages: Stages) -> AsyncGenerator[StreamEvent]:
    """Rewrites, retrieves, fuses, reranks, compresses, answers: yields events in the order of the stream.

    A stage that runs out of time is skipped and named in the warnings; earlier results count.
    """
    plan, listing, trace = query.plan, query.listing, stages.trace
    sources = await stages.open(query.entries, query.filter, query.caller)
    trace.warnings += _missing_indexes(sources, plan.retrieve)

    check_fields(sources, plan.group, listing.facets)
    facets = await stages.facets(sources, query.filter, listing.facets)

    question = await stages.stand_alone(query.text, query.conversation, plan.rewrite)
    reads = await stages.read(question, plan.retrieve)
    vectors = next((read for read in reads.values() if isinstance(read, TokenVectors)), None)
    candidates = await _found(query, sources, reads, stages)
    groups_texts = plan.group is not None and plan.group.by == TEXT
    if groups_texts:  # first, so that no text is ranked twice
        candidates = await stages.group(candidates, plan.group)
    candidates = await stages.rerank(question, candidates, plan.rerank)
    candidates = stages.above(candidates, listing, plan)
    if not groups_texts:
        candidates = await stages.group(candidates, plan.group)
    shown = listing.page(candidates)

    # What is cited has to be among the hits.
    context = [] if listing.offset else shown[: plan.context.passages]
    wanted = plan.compress if plan.answer or query.explain else None
    read = vectors
    if read is None and context and (plan.answer or wanted):  # the plan searched without tokens
        read = await stages.encode(question)
    texts, compressed_tokens = await stages.compress(question, context, wanted, read)

    hits = await stages.call(
        hits_of,
        shown,
        explain=query.explain,
        highlight=listing.highlight,
        group=plan.group,
        query=question,
        vectors=vectors,
    )
    versions = {source.name: source.version for source in sources}
    yield HitsEvent(
        id=query.id,
        index_version=versions,
        profile=query.profile,
        query=question,
        hits=hits,
        facets=facets,
    )

    answer = CitedAnswer()
    if plan.answer is not None:
        evidence = await stages.weigh(question, context, read)
        if not evidence.supported:
            if refusal := answer.refuse(trace):
                yield DeltaEvent(text=refusal)
        else:
            request = query.answer_request(question, context, texts, stages.held)
            written = answer.pieces(request, question, context, stages.writer, trace)
            async with aclosing(written) as pieces:
                async for piece in pieces:
                    yield DeltaEvent(text=piece) if isinstance(piece, str) else piece

    usage = Usage(
        query_tokens=0 if vectors is None else len(vectors.ids),
        context_tokens=answer.usage.context_tokens,
        compressed_tokens=compressed_tokens,
        cached_tokens=answer.usage.cached_tokens,
        question_tokens=answer.usage.question_tokens,
        generated_tokens=answer.usage.generated_tokens,
        encoded_passages=stages.held.encoded,
    )
    yield usage
    yield DoneEvent(
        answer=answer.answer if plan.answer else None,
        usage=usage,
        timings_ms=trace.finish(),
        partial=trace.partial,
        warnings=trace.warnings,
        notes=trace.notes,
    )


async def _found(query: Query, sources: Sequence[Source], reads: Reads, stages: Stages) -> list[Candidate]:
    """The fused passages of all retrievers, which search deeper only if the list would be too short."""
    plan = query.plan
    found = await stages.retrieve(sources, reads, plan.retrieve)
    candidates = await stages.fuse(found, plan.fuse)
    more = deeper(found, plan.retrieve, query.deepest)
    short = bool(more) and await stages.call(is_short, candidates, plan, query.listing.end)
    if short:
        found = extended(found, await stages.retrieve(sources, reads, more))
        candidates = followed_by(candidates, await stages.fuse(found, plan.fuse))
    return candidates


def _missing_indexes(sources: Sequence[Source], plan: Retrieve) -> list[str]:
    """Warns about collections without the index of a retriever, which finds nothing there."""
    return [
        f"collection {source.name!r} was made without {name}; that retriever finds nothing there"
        for name in plan
        if name in running(plan)
        for source in sources
        if not source.snapshot.has(name)
    ]
