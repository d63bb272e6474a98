"""The service as a whole: creates its parts in order, and closes them in an order that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from api.access.stored_keys import StoredKeys
from api.answers.local import LocalWriter
from api.answers.prompts import Prompts
from api.answers.writer import Writer
from api.collections.library import Library
from api.collections.merging import Merger
from api.collections.trash import Trash
from api.db import Database
from api.deadline import Deadline
from api.device.networks import Networks
from api.device.price import TokenBudget
from api.errors import NotReady
from api.jobs.batches import BatchLimits
from api.jobs.changes import Changes
from api.jobs.indexing import Indexer
from api.jobs.prewarm import Warmer
from api.jobs.process import ProcessLock
from api.jobs.queue import JobQueue
from api.jobs.readers import Readers
from api.jobs.uploads import Uploads
from api.jobs.wakeups import WakeUps, make_bell
from api.jobs.worker import Worker
from api.query.engine import QueryEngine, open_engine
from api.settings import Settings
from api.telemetry.metrics import Metrics
from api.telemetry.prefix_metrics import PrefixCollector
from base.errors import ExcerptaError
from models import Executor, Models, Priority
from retrieval.corpus import DEFAULT_LIMITS
from retrieval.corpus.file_reader import ReadHere

_log = structlog.get_logger("excerpta.service")


@dataclass(slots=True)
class Readiness:
    """Whether the service can answer. `waiting_for` names the missing part, None when it is ready."""

    waiting_for: str | None = "the models are being loaded"

    def check(self) -> None:
        """Raises NotReady."""
        if self.waiting_for is not None:
            raise NotReady(self.waiting_for)


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of the service that routes use: the query engine, jobs, metrics and the shutdown."""

    engine: QueryEngine
    queue: JobQueue
    spool: Uploads
    indexer: Indexer
    changes: Changes
    bell: WakeUps
    closing: asyncio.Event
    deadline: Deadline
    stage_budget: TokenBudget
    keys: StoredKeys
    readiness: Readiness = field(default_factory=Readiness)

    @property
    def settings(self) -> Settings:
        """The settings of the process."""
        return self.engine.settings

    @property
    def database(self) -> Database:
        """The database."""
        return self.engine.database

    @property
    def models(self) -> Models:
        """The models of the profile."""
        return self.engine.models

    @property
    def device(self) -> Executor:
        """The queue of the device's thread."""
        return self.engine.device

    @property
    def networks(self) -> Networks:
        """What runs on the device."""
        return self.engine.networks

    @property
    def library(self) -> Library:
        """All collections."""
        return self.engine.library

    @property
    def prompts(self) -> Prompts:
        """All prompts."""
        return self.engine.prompts

    @property
    def writer(self) -> Writer:
        """The writer of answers."""
        return self.engine.writer

    @property
    def metrics(self) -> Metrics:
        """The metrics of the process."""
        return self.engine.metrics


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """Opens the service: migrates tables, resumes jobs, and starts to load models."""
    async with open_engine(settings) as engine, contextlib.AsyncExitStack() as stack:
        library = engine.library
        deadline = engine.deadline
        job_threads = ThreadPoolExecutor(settings.job_concurrency + 1, "job")
        stack.callback(job_threads.shutdown, wait=False, cancel_futures=True)
        owner = ProcessLock(settings.data_dir / "owners")
        stack.callback(owner.close)
        queue = JobQueue(engine.database, owner, lease_s=settings.lease_s)
        spool = Uploads(settings.data_dir / "spool", settings.max_upload_mb << 20)
        cut = BatchLimits(settings.batch_documents, settings.batch_characters)
        bell = make_bell(settings.redis_url, settings.database)
        await bell.start()
        stack.push_async_callback(bell.close)
        readers = Readers(DEFAULT_LIMITS)
        stack.callback(readers.close)
        indexer = Indexer(
            engine.database,
            queue,
            library,
            spool,
            job_threads,
            cut,
            Warmer(engine.networks),
            readers if settings.read_files_in == "process" else lambda *_: ReadHere(DEFAULT_LIMITS),
            merges=settings.merge_share > 0,
        )
        keys = StoredKeys(engine.database)
        stack.push_async_callback(keys.close)
        service = Service(
            engine=engine,
            queue=queue,
            spool=spool,
            indexer=indexer,
            changes=Changes(engine.database, queue, spool, indexer, library, bell),
            bell=bell,
            closing=asyncio.Event(),
            deadline=deadline,
            stage_budget=TokenBudget(settings.stage_tokens),
            keys=keys,
        )
        _add_gauges(engine)
        warming = asyncio.create_task(_get_ready(service))
        stack.push_async_callback(_ended, warming)
        if settings.works:
            worker = Worker(
                queue,
                indexer,
                library,
                spool,
                bell,
                Trash(settings.data_dir / "trash", settings.trash_days),
                concurrency=settings.job_concurrency,
                poll_s=settings.poll_s,
            )
            await worker.start()
            stack.push_async_callback(lambda: worker.stop(deadline.share(0.5)))
        if settings.merge_share:
            merger = Merger(library, share=settings.merge_share)
            merger.start()
            stack.push_async_callback(lambda: asyncio.to_thread(merger.stop, deadline.share(0.5)))
        stack.callback(service.closing.set)
        yield service


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits until it is over: a loop must not be closed around it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _get_ready(service: Service) -> None:
    """Finds the models, and loads them unless that is left to the first query."""
    readiness = service.readiness
    try:
        found = await service.library.run(service.models.describe)
        missing = [f"{one.role} {one.name}: {one.source}" for one in found if not one.available]
        if missing:
            readiness.waiting_for = "; ".join(missing)
            _log.error("service.models-missing", missing=missing)
            return
        if service.settings.warm:
            await service.device.run(service.networks.warm, priority=Priority.INTERACTIVE)
    except (ExcerptaError, OSError, RuntimeError) as error:
        readiness.waiting_for = str(error)
        _log.exception("service.models-failed")
        return
    readiness.waiting_for = None
    _log.info("service.ready", profile=service.models.profile.name, device=str(service.models.device))


def _add_gauges(engine: QueryEngine) -> None:
    metrics, device = engine.metrics, engine.device
    metrics.collect(PrefixCollector(engine.networks.store_stats))
    metrics.gauge("device_waiting", "Calls that wait for the device.", lambda: device.waiting)
    metrics.gauge("device_admitted", "Places that requests hold on the device.", lambda: device.admitted)
    if isinstance(engine.writer, LocalWriter):
        answers = engine.writer
        metrics.gauge("answers_waiting", "Answers that wait for a place.", lambda: answers.waiting)
        metrics.gauge("answers_placed", "Answers that are being read or written.", lambda: answers.placed)
        metrics.gauge("answer_tokens", "Tokens of admitted answers.", lambda: answers.admitted_tokens)
        metrics.gauge("answer_steps", "Forward passes that wrote answers, so far.", lambda: answers.steps)
        metrics.gauge("answer_row_bytes", "Bytes of the answers' keys and values.", lambda: answers.nbytes)
