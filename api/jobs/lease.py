"""Holding a job while its work goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from api.db import UNAVAILABLE
from api.errors import JobStopped
from api.jobs.queue import Claim, JobQueue
from api.jobs.wakeups import WakeUps

_log = structlog.get_logger("excerpta.jobs")


class Stop:
    """A wish from outside that the work ends; the work asks for it where it can end well."""

    def __init__(self) -> None:
        self._wished = threading.Event()
        self._wish: JobStopped | None = None

    def request(self, wish: JobStopped) -> None:
        """Asks the work to end."""
        self._wish = wish
        self._wished.set()

    def check(self, *_: object) -> None:
        """Raises JobStopped if the work should end."""
        if self._wished.is_set() and self._wish is not None:
            raise self._wish


@asynccontextmanager
async def held(queue: JobQueue, bell: WakeUps, claim: Claim, stop: Stop) -> AsyncIterator[None]:
    """Extends the lease for as long as the block runs; a cancelled or lost job asks the work to stop."""
    heart = asyncio.create_task(_beat(queue, bell, claim, stop))
    try:
        yield
    finally:
        heart.cancel()
        await asyncio.gather(heart, return_exceptions=True)


async def _beat(queue: JobQueue, bell: WakeUps, claim: Claim, stop: Stop) -> None:
    async with bell.listen(f"cancel:{claim.job}") as listener:
        while True:
            await listener.wait(queue.lease_s / 3)
            try:
                await queue.heartbeat(claim)
            except JobStopped as wish:
                stop.request(wish)
                return
            except UNAVAILABLE as error:
                _log.warning("jobs.heartbeat-failed", job=claim.job, error=str(error.__cause__ or error))
