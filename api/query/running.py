"""A query as a task of its own: it holds its place on the device, and ends when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Literal, TypeVar

import msgspec
from excerpta.types import (
    Citation,
    DeltaEvent,
    DoneEvent,
    HitsEvent,
    QueryReply,
    SearchRequest,
    StreamEvent,
    Usage,
)
from litestar import Request
from litestar.exceptions import HTTPException

from api.answers.request import tokens_asked
from api.collections.library import Entry
from api.collections.storable import clean
from api.errors import InvalidRequest
from api.http.ids import new_id
from api.http.sse import Event
from api.query import plan as plans
from api.query.pipeline import Query, run
from api.query.stages import Stages
from api.service import Service
from api.telemetry.trace import Trace
from base.errors import Overloaded
from models import Executor

T = TypeVar("T")
_NAMES = {HitsEvent: "hits", DeltaEvent: "delta", Citation: "citation", Usage: "usage", DoneEvent: "done"}


class RunningQuery:
    """A running query; `events` can be read once. Raises Overloaded from the first event on if it is full."""

    def __init__(self, service: Service, query: Query, stages: Stages) -> None:
        self.query = query
        self._service = service
        self._events: asyncio.Queue[StreamEvent | Exception | None] = asyncio.Queue()
        passage_tokens = max(one.settings.passage_tokens for one in query.entries)
        self._tokens = tokens_asked(query.plan, passage_tokens, query.modules)
        self._task = asyncio.create_task(self._run(run(query, stages), service.device))

    @classmethod
    async def start(
        cls,
        service: Service,
        request: SearchRequest,
        *,
        search: bool,
        question: str | None = None,
        conversation: str = "",
    ) -> RunningQuery:
        """Begins a query as the request says. Raises what is wrong with the request.

        `question` is what is answered where that is not what is searched for.
        """
        names = [request.collection] if isinstance(request.collection, str) else request.collection
        text = clean(request.query)
        if not text.strip():
            raise InvalidRequest("query", "it has no words; ask something")
        entries = [await service.library.get(name) for name in dict.fromkeys(names)]
        settings = service.settings
        wanted_s = request.timeout_ms / 1000 if request.timeout_ms else settings.query_timeout_s
        trace = Trace(timeout_s=min(wanted_s, settings.query_timeout_s))
        plan = plans.resolve(request.plan, _stored_plan(entries), search=search)
        plans.check_needs(plan, service.networks.available())
        query = Query(
            id=new_id("qry"),
            entries=entries,
            text=text,
            question=text if question is None else clean(question),
            conversation=clean(conversation),
            filter=request.filter,
            limit=request.limit,
            plan=plan,
            explain=request.explain,
            profile=service.models.profile.name,
            modules=await service.prompts.filled(plan.context.prompt),
        )
        return cls(
            service, query, Stages(service.networks, service.writer, service.library, service.threads, trace)
        )

    async def events(self) -> AsyncGenerator[StreamEvent]:
        """The events in order; the query is cancelled when the reader stops reading."""
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self._task.cancel()

    async def _run(self, events: AsyncIterator[StreamEvent], device: Executor) -> None:
        outcome = "cancelled"
        metrics = self._service.metrics
        try:
            with device.admit(), self._service.writer.admit(self._tokens):
                async for event in events:
                    if isinstance(event, DoneEvent):
                        outcome = "partial" if event.partial else "done"
                        metrics.observe_stages(event.timings_ms)
                    elif isinstance(event, Usage):
                        for kind in ("context_tokens", "cached_tokens", "generated_tokens"):
                            metrics.tokens.labels(kind.removesuffix("_tokens")).inc(getattr(event, kind))
                    self._events.put_nowait(event)
            self._events.put_nowait(None)
        except Exception as error:
            outcome = "refused" if isinstance(error, Overloaded) else "failed"
            self._events.put_nowait(error)
        finally:
            metrics.queries.labels(outcome).inc()


async def whole(asking: RunningQuery, *, explain: bool | Literal["matrix"]) -> QueryReply:
    """The reply of a query that is not streamed."""
    hits: HitsEvent | None = None
    done: DoneEvent | None = None
    async with aclosing(asking.events()) as events:
        async for event in events:
            if isinstance(event, HitsEvent):
                hits = event
            elif isinstance(event, DoneEvent):
                done = event
    if hits is None or done is None:
        raise RuntimeError("a query ended without its last event")
    return QueryReply(
        id=hits.id,
        index_version=hits.index_version,
        profile=hits.profile,
        partial=done.partial,
        warnings=done.warnings,
        hits=hits.hits,
        answer=done.answer,
        usage=done.usage,
        timings_ms=done.timings_ms,
        plan=msgspec.to_builtins(asking.query.plan) if explain else None,
    )


async def streamed(asking: RunningQuery) -> AsyncGenerator[Event]:
    """The events as they are sent. Waits for the first: what fails before it can still be a plain reply."""
    events = asking.events()
    first = await anext(events)

    async def rest() -> AsyncGenerator[Event]:
        yield _NAMES[type(first)], first
        async with aclosing(events):
            async for event in events:
                yield _NAMES[type(event)], event

    return rest()


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """The work's result; the work is cancelled when the client hangs up."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise HTTPException("the client has hung up", status_code=499)
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _hung_up(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _stored_plan(entries: Sequence[Entry]) -> Any:
    """The plan stored with the collections, where they agree on one."""
    stored = [entry.settings.plan for entry in entries]
    return stored[0] if all(one == stored[0] for one in stored) else None
