"""The query engine: everything that a query needs, without HTTP or jobs.

The service, the benchmarks, the evaluation and `Client.local` all answer through it. So benchmarks measure
the code that is served.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import msgspec
from excerpta.types import DoneEvent, HitsEvent, QueryReply, SearchRequest, StreamEvent, Usage

from api.access.caller import LOCAL, Caller
from api.answers.local import LocalWriter
from api.answers.prompts import Prompts
from api.answers.remote import RemoteWriter
from api.answers.request import tokens_asked
from api.answers.writer import Writer
from api.collections.library import Entry, Library
from api.collections.storable import clean
from api.db import Database, upgrade
from api.db.identity import tie
from api.deadline import Deadline
from api.device.networks import Networks, prefix_store
from api.errors import Forbidden, InvalidRequest
from api.http.ids import new_id
from api.query import plan as plans
from api.query.listing import listing_of, with_group
from api.query.pipeline import Query, run
from api.query.stages import Stages
from api.settings import Settings
from api.telemetry.metrics import Metrics
from api.telemetry.trace import Trace
from base.errors import Overloaded
from context import Turn
from models import Executor, Models, load_profile
from retrieval.threads import one_core_for_faiss, one_core_for_products
from retrieval.tokens.devices.accelerator import accelerator_for


@dataclass(frozen=True, slots=True)
class QueryEngine:
    """Networks, collections and a writer of answers; a query of any caller runs on them.

    >>> import asyncio, tempfile
    >>> from pathlib import Path
    >>> from api.settings import Settings
    >>> async def names() -> list[str]:
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         async with open_engine(Settings(data_dir=Path(folder))) as engine:
    ...             return [entry.name for entry in await engine.library.all()]
    >>> asyncio.run(names())
    []
    """

    settings: Settings
    database: Database
    networks: Networks
    library: Library
    writer: Writer
    prompts: Prompts
    threads: ThreadPoolExecutor
    metrics: Metrics
    deadline: Deadline

    @property
    def models(self) -> Models:
        """The models of the profile."""
        return self.networks.models

    @property
    def device(self) -> Executor:
        """The queue of the device's thread."""
        return self.networks.device

    async def start(
        self,
        request: SearchRequest,
        *,
        caller: Caller = LOCAL,
        search: bool = False,
        conversation: Sequence[Turn] = (),
        instructions: str = "",
    ) -> RunningQuery:
        """The query of a request, not started yet. Raises the errors of the request.

        `search` is for retrieval only. The query is read as the next message of the `conversation`. The model
        reads both, and `instructions` first.
        """
        names = [request.collection] if isinstance(request.collection, str) else request.collection
        text = clean(request.query)
        if not text.strip():
            raise InvalidRequest("query", "it has no words; ask something")
        entries = [await self.library.get(name) for name in dict.fromkeys(names)]
        longest_s = self.settings.query_timeout_s
        wanted_s = request.timeout_ms / 1000 if request.timeout_ms else longest_s
        trace = Trace(timeout_s=min(wanted_s, longest_s))
        stored, profile = _stored_plan(entries), self.models.profile.plan
        plan = with_group(plans.resolve(request.plan, stored, search=search, profile=profile), request)
        if plan.answer is not None and not caller.may("answer"):
            raise Forbidden(["answer"])
        plans.check_needs(plan, self.networks.available())
        query = Query(
            id=new_id("qry"),
            caller=caller,
            entries=entries,
            text=text,
            conversation=[Turn(turn.speaker, clean(turn.text)) for turn in conversation],
            instructions=clean(instructions),
            filter=request.filter,
            listing=listing_of(request, plan),
            plan=plan,
            deepest=plans.deepest(request.plan, stored, profile=profile),
            explain=request.explain,
            profile=self.models.profile.name,
            modules=await self.prompts.filled(plan.context.prompt, caller),
        )
        stages = Stages(
            self.networks, self.writer, self.library, self.threads, trace, salt=caller.questions_salt
        )
        return RunningQuery(self, query, stages)

    async def ask(
        self, request: SearchRequest, *, caller: Caller = LOCAL, search: bool = False
    ) -> QueryReply:
        """The whole reply to one query. Raises the errors of the request, and Overloaded."""
        running = await self.start(request, caller=caller, search=search)
        return await running.whole(explain=request.explain)


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """One query. It is admitted to the device while its events are read, and cancelled when reading stops."""

    engine: QueryEngine
    query: Query
    stages: Stages

    async def events(self) -> AsyncGenerator[StreamEvent]:
        """The events in order, to be read once. Raises Overloaded before the first."""
        passage_tokens = max(one.settings.passage_tokens for one in self.query.entries)
        tokens = tokens_asked(self.query.plan, passage_tokens, self.query.modules)
        outcome = "cancelled"
        try:
            with self.engine.device.admit(), self.engine.writer.admit(tokens):
                async with aclosing(run(self.query, self.stages)) as events:
                    async for event in events:
                        if isinstance(event, DoneEvent):
                            outcome = "partial" if event.partial else "done"
                        self._observe(event)
                        yield event
        except Exception as error:
            outcome = "refused" if isinstance(error, Overloaded) else "failed"
            raise
        finally:
            self.engine.metrics.queries.labels(outcome).inc()

    async def whole(self, *, explain: bool | Literal["matrix"]) -> QueryReply:
        """The reply of a query that is not streamed. With `explain` it has the whole plan."""
        hits: HitsEvent | None = None
        done: DoneEvent | None = None
        async with aclosing(self.events()) as events:
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
            query=hits.query,
            partial=done.partial,
            warnings=done.warnings,
            notes=done.notes,
            hits=hits.hits,
            facets=hits.facets,
            answer=done.answer,
            usage=done.usage,
            timings_ms=done.timings_ms,
            plan=msgspec.to_builtins(self.query.plan) if explain else None,
        )

    def _observe(self, event: StreamEvent) -> None:
        metrics = self.engine.metrics
        if isinstance(event, DoneEvent):
            metrics.observe_stages(event.timings_ms)
        elif isinstance(event, Usage):
            for kind in ("context_tokens", "cached_tokens", "generated_tokens"):
                metrics.tokens.labels(kind.removesuffix("_tokens")).inc(getattr(event, kind))


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[QueryEngine]:
    """Opens the engine over a data directory and migrates its tables. Models load at their first use."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    profile = load_profile(settings.profile, search=[settings.data_dir / "profiles"])
    plans.resolve(None, profile=profile.plan)  # its faults are found now, not at the first query
    models = Models(profile, settings.data_dir, cache=settings.cache, device=settings.device)
    deadline = Deadline(settings.shutdown_s)
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        await upgrade(database)
        await tie(database, settings.data_dir)
        device = Executor(str(models.device), capacity=settings.queue_capacity)
        stack.callback(lambda: device.close(deadline.share(0.5)))
        one_core_for_products()
        threads = ThreadPoolExecutor(settings.query_threads, "query", one_core_for_faiss)
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        networks = Networks(models, device, store=partial(prefix_store, settings))
        stack.callback(networks.close)
        writer: LocalWriter | RemoteWriter
        if profile.generator is None:
            writer = LocalWriter(
                device,
                networks,
                rows=settings.answers,
                tokens=settings.answer_tokens,
                queue_tokens=settings.answer_queue_tokens,
                drafts=settings.answer_drafts,
            )
        else:
            writer = RemoteWriter(profile.generator, queue_tokens=settings.answer_queue_tokens)
            stack.push_async_callback(writer.close)
        accelerator = accelerator_for(models.device)
        yield QueryEngine(
            settings=settings,
            database=database,
            networks=networks,
            library=Library(database, networks, settings.data_dir / "collections", threads, accelerator),
            writer=writer,
            prompts=Prompts(database, networks, threads, local=profile.generator is None),
            threads=threads,
            metrics=Metrics(),
            deadline=deadline,
        )


def _stored_plan(entries: Sequence[Entry]) -> Any:
    """The plan stored with the collections, if all have the same one."""
    stored = [entry.settings.plan for entry in entries]
    return stored[0] if all(one == stored[0] for one in stored) else None
