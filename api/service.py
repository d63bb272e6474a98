"""The service as a whole: creates its parts in order, and closes them in an order that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from api.answers.local import LocalWriter
from api.answers.prompts import Prompts
from api.answers.remote import RemoteWriter
from api.answers.writer import Writer
from api.collections.library import Library
from api.collections.merging import Merger
from api.db import Database, upgrade
from api.device.networks import Networks, prefix_store
from api.errors import NotReady
from api.jobs.batches import BatchLimits
from api.jobs.indexing import Indexer
from api.jobs.prewarm import Warmer
from api.jobs.process import ProcessLock
from api.jobs.queue import JobQueue
from api.jobs.uploads import Uploads
from api.jobs.wakeups import WakeUps, make_bell
from api.jobs.worker import Worker
from api.settings import Settings
from api.telemetry.metrics import Metrics
from api.telemetry.prefix_metrics import PrefixCollector
from base.errors import ExcerptaError
from models import Executor, Models, Priority, load_profile
from retrieval.threads import one_core_for_faiss, one_core_for_products
from retrieval.tokens.devices.accelerator import accelerator_for

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
    """The parts of the service that routes use."""

    settings: Settings
    database: Database
    models: Models
    device: Executor
    networks: Networks
    answers: LocalWriter
    writer: Writer
    library: Library
    prompts: Prompts
    queue: JobQueue
    spool: Uploads
    indexer: Indexer
    bell: WakeUps
    metrics: Metrics
    threads: ThreadPoolExecutor
    closing: asyncio.Event
    readiness: Readiness = field(default_factory=Readiness)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """Opens the service: migrates tables, resumes jobs, and starts to load models."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    profile = load_profile(settings.profile, search=[settings.data_dir / "profiles"])
    models = Models(profile, settings.data_dir, device=settings.device)
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        await upgrade(database)
        device = Executor(str(models.device), capacity=settings.queue_capacity)
        stack.callback(device.close, settings.shutdown_s)
        one_core_for_products()
        threads = ThreadPoolExecutor(settings.query_threads, "query", one_core_for_faiss)
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        job_threads = ThreadPoolExecutor(settings.job_concurrency + 1, "job")
        stack.callback(job_threads.shutdown, wait=False, cancel_futures=True)
        networks = Networks(models, device, store=partial(prefix_store, settings))
        stack.callback(networks.close)
        answers = LocalWriter(
            device,
            networks,
            rows=settings.answers,
            tokens=settings.answer_tokens,
            queue_tokens=settings.answer_queue_tokens,
            drafts=settings.answer_drafts,
        )
        writer = None
        if profile.generator is not None:
            writer = RemoteWriter(profile.generator, queue_tokens=settings.answer_queue_tokens)
            stack.push_async_callback(writer.close)
        accelerator = accelerator_for(models.device)
        library = Library(database, networks, settings.data_dir / "collections", threads, accelerator)
        owner = ProcessLock(settings.data_dir / "owners")
        stack.callback(owner.close)
        queue = JobQueue(database, owner, lease_s=settings.lease_s)
        spool = Uploads(settings.data_dir / "spool", settings.max_upload_mb << 20)
        cut = BatchLimits(settings.batch_documents, settings.batch_characters)
        bell = make_bell(settings.redis_url, settings.database)
        await bell.start()
        stack.push_async_callback(bell.close)
        service = Service(
            settings=settings,
            database=database,
            models=models,
            device=device,
            networks=networks,
            answers=answers,
            writer=writer or answers,
            library=library,
            prompts=Prompts(database, networks, threads, local=writer is None),
            queue=queue,
            spool=spool,
            indexer=Indexer(database, queue, library, spool, job_threads, cut, Warmer(networks)),
            bell=bell,
            metrics=_metrics(device, networks, answers),
            threads=threads,
            closing=asyncio.Event(),
        )
        warming = asyncio.create_task(_get_ready(service))
        stack.callback(warming.cancel)
        if settings.works:
            worker = Worker(
                queue,
                service.indexer,
                library,
                spool,
                bell,
                concurrency=settings.job_concurrency,
                poll_s=settings.poll_s,
            )
            await worker.start()
            stack.push_async_callback(worker.stop, settings.shutdown_s)
        if settings.merge_share:
            merger = Merger(library, share=settings.merge_share)
            merger.start()
            stack.push_async_callback(asyncio.to_thread, merger.stop, settings.shutdown_s)
        stack.callback(service.closing.set)
        yield service


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


def _metrics(device: Executor, networks: Networks, answers: LocalWriter) -> Metrics:
    metrics = Metrics()
    metrics.collect(PrefixCollector(networks.store_stats))
    metrics.gauge("device_waiting", "Calls that wait for the device.", lambda: device.waiting)
    metrics.gauge("device_admitted", "Places that requests hold on the device.", lambda: device.admitted)
    metrics.gauge("answers_waiting", "Answers that wait for a place.", lambda: answers.waiting)
    metrics.gauge("answers_placed", "Answers that are being read or written.", lambda: answers.placed)
    metrics.gauge("answer_tokens", "Tokens of admitted answers.", lambda: answers.admitted_tokens)
    metrics.gauge("answer_steps", "Forward passes that wrote answers, so far.", lambda: answers.steps)
    metrics.gauge(
        "answer_row_bytes", "Bytes of keys and values that answers grow in.", lambda: answers.nbytes
    )
    return metrics
