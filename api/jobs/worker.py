"""The loops that take jobs and run them, and that clean up after jobs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from api.collections.library import Library
from api.collections.trash import Trash
from api.db import UNAVAILABLE
from api.db.faults import fault_of
from api.errors import JobStopped, UnknownCollection
from api.jobs.indexing import Indexer
from api.jobs.lease import Stop, held
from api.jobs.outcome import Outcome
from api.jobs.progress import Progress, shown
from api.jobs.queue import Claim, JobQueue
from api.jobs.uploads import Uploads
from api.jobs.wakeups import WakeUps
from base.errors import ExcerptaError
from retrieval import Collection

_log = structlog.get_logger("excerpta.jobs")
_HOUSEKEEPING_S = 300.0
_KEY_LIFETIME_S = 24 * 3600.0
_UPLOAD_STALLS_S = 3600.0
_FORGOTTEN_AT_ONCE = 10_000


class Worker:
    """Runs jobs in this process, `concurrency` at a time, one at a time for each collection."""

    def __init__(
        self,
        queue: JobQueue,
        indexer: Indexer,
        library: Library,
        spool: Uploads,
        bell: WakeUps,
        trash: Trash,
        *,
        concurrency: int,
        poll_s: float,
    ) -> None:
        self._queue = queue
        self._indexer = indexer
        self._library = library
        self._spool = spool
        self._bell = bell
        self._trash = trash
        self._concurrency = concurrency
        self._poll_s = poll_s
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[str, Stop] = {}
        self._ending = False

    async def start(self) -> None:
        """Frees the jobs of dead processes and begins to work."""
        await self._queue.requeue_dead()
        loops: list[Coroutine[Any, Any, None]] = [self._work() for _ in range(self._concurrency)]
        self._tasks = [asyncio.create_task(loop) for loop in [*loops, self._keep_house()]]

    async def stop(self, timeout_s: float) -> None:
        """Ends after the current batches, or `timeout_s` seconds. Unfinished jobs return to the queue."""
        self._ending = True
        for job, stop in self._running.items():
            stop.request(JobStopped(job, "the service is shutting down"))
        self._tasks[-1].cancel()
        await self._bell.ring("jobs")
        if self._tasks[:-1]:
            await asyncio.wait(self._tasks[:-1], timeout=timeout_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        async with self._bell.listen("jobs") as listener:
            while not self._ending:
                try:
                    claim = await self._queue.claim()
                    if claim is not None:
                        await self._run(claim)
                        continue
                except UNAVAILABLE as error:
                    _log.warning("jobs.database-unavailable", error=str(error.__cause__ or error))
                except Exception:
                    # Whatever one job meets, the next ones are still taken up.
                    _log.exception("jobs.worker-failed")
                await listener.wait(self._poll_s)

    async def _run(self, claim: Claim) -> None:
        stop = self._running[claim.job] = Stop()
        began = time.monotonic()
        try:
            progress = Progress()
            async with (
                held(self._queue, self._bell, claim, stop),
                shown(self._queue, self._bell, claim, progress),
            ):
                outcome = await self._indexer.run(claim, stop, progress, lambda: self._tell(claim))
        except asyncio.CancelledError:
            # Out of time at the end: whatever the batch in hand still does, its key makes harmless.
            await self._release(claim)
            raise
        except JobStopped as stopped:
            if self._ending:
                await self._release(claim)
                return
            outcome = Outcome("cancelled", stopped.reason)
        except UnknownCollection:
            self._spool.drop(claim.job)
            return
        except UNAVAILABLE as failure:
            # The database or the disk: the lease runs out, and the job is taken up where it was.
            _log.warning("jobs.interrupted", job=claim.job, error=str(failure.__cause__ or failure))
            if (fault := fault_of(failure)) is not None:
                with contextlib.suppress(*UNAVAILABLE):
                    await self._queue.note(claim, f"it waits and goes on by itself: {fault.value}")
            return
        except ExcerptaError as failure:
            outcome = Outcome("failed", str(failure))
        except Exception:
            _log.exception("jobs.failed", job=claim.job)
            outcome = Outcome("failed", "an error inside the service; its log has the details")
        finally:
            self._running.pop(claim.job, None)
        await self._finish(claim, outcome)
        seconds = round(time.monotonic() - began, 2)
        _log.info("jobs.ended", job=claim.job, kind=claim.kind, state=outcome.state, s=seconds)

    async def _finish(self, claim: Claim, outcome: Outcome) -> None:
        try:
            await self._queue.finish(claim, outcome.state, outcome.error)
        except JobStopped:
            return  # someone else's now; whoever it is also drops the upload
        self._spool.drop(claim.job)
        await self._tell(claim)
        await self._bell.ring("jobs")  # the collection is free for its next job

    async def _release(self, claim: Claim) -> None:
        with contextlib.suppress(JobStopped, *UNAVAILABLE):
            await self._queue.release(claim)
        await self._bell.ring("jobs")

    async def _tell(self, claim: Claim) -> None:
        await self._bell.ring(f"job:{claim.job}")

    async def _keep_house(self) -> None:
        """Frees the jobs of processes that have died; removes directories and uploads that are done with.

        Those that the database does not name go to the trash: it may be the database that is wrong.
        """
        before: set[str] = set()
        spooled: set[str] = set()
        over: set[str] = set()
        while True:
            try:
                if await self._queue.requeue_dead():
                    await self._bell.ring("jobs")
                await self._queue.forget_keys(time.time() - _KEY_LIFETIME_S)
                unneeded = await self._queue.finished_or_gone(list(self._spool.jobs()))
                # Only what was unneeded the last time too: an upload is kept before its job's row is there.
                late = unneeded & spooled
                known = await self._queue.known(list(late))
                for job in late:
                    if job in known:
                        self._spool.drop(job)
                    else:
                        self._spool.discard(job, self._trash)
                spooled = unneeded
                self._spool.sweep(_UPLOAD_STALLS_S)
                over = await self._forget_batches(over)
                orphans = await self._library.orphans()
                # Only what was an orphan the last time too: a collection being made has no row yet.
                for directory in orphans.replaced & before:
                    await self._library.remove(directory)
                for directory in orphans.unknown & before:
                    await self._library.discard(directory, self._trash)
                before = orphans.replaced | orphans.unknown
                await self._library.run(self._trash.empty)
            except UNAVAILABLE as error:
                _log.warning("jobs.housekeeping-failed", error=str(error.__cause__ or error))
            except Exception:
                _log.exception("jobs.housekeeping-failed")
            await asyncio.sleep(_HOUSEKEEPING_S)

    async def _forget_batches(self, before: set[str]) -> set[str]:
        """Removes batch keys of jobs that had ended by then from the indexes; returns the jobs ended by now.

        A worker that has lost its job may still be at a batch of it when another one finishes the job, so
        their keys are kept until the next time.
        """
        over: set[str] = set()
        for collection in self._library.opened():
            try:
                jobs = sorted(await self._library.run(_jobs, collection))[:_FORGOTTEN_AT_ONCE]
                finished = await self._queue.finished_or_gone(jobs)
                if finished & before:
                    await self._library.run(collection.forget, finished & before)
            except ExcerptaError:
                continue  # deleted meanwhile, or damaged: who asks it next is told
            over |= finished
        return over


def _jobs(collection: Collection) -> set[str]:
    return collection.jobs
