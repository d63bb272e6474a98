"""How far a job is: noted by the threads that work, written to the database about once a second."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import accumulate

import msgspec
from excerpta.types import JobPlace

from api.db import UNAVAILABLE
from api.jobs.queue import Claim, JobQueue
from api.jobs.wakeups import WakeUps
from retrieval import Document

_READING, _ENCODING, _INDEXING = 0.1, 0.65, 0.2  # of the work on a part of an upload
_MOST_AHEAD = 0.999  # all is done when it is committed
_EVERY_S = 1.0


class Progress:
    """How far one job is, from 0 to 1. It never falls. One thread at a time tells it.

    A part of an upload, from one committed batch to the next, is read, then encoded, then indexed. `at` and
    `end` are places in the upload in bytes, or in documents for a rebuild.
    """

    def __init__(self) -> None:
        self.place: JobPlace | None = None
        self._fraction = 0.0
        self._total = 0
        self._base = self._end = 0.0
        self._file, self._start, self._size = "", 0.0, 0.0
        self._documents: Sequence[Document] = ()
        self._owners: Mapping[str, str] = {}
        self._ends: list[int] = []

    @property
    def fraction(self) -> float:
        """The share of the work that is done."""
        return self._fraction

    def begin(self, at: float, total: float) -> None:
        """The work goes on at `at` of `total`."""
        self._base, self._total = at, max(1, int(total))
        self._rise(at)

    def open(self, file: str, at: float, size: float) -> None:
        """The reading of a file begins."""
        self._file, self._start, self._size = file, at, size
        self.reached(at)

    def page(self, number: int, count: int) -> None:
        """So many pages of the open file are read."""
        self.place = JobPlace(file=self._file, unit="page", done=number, total=count)
        self.reached(self._start + self._size * number / max(1, count))

    def reached(self, at: float) -> None:
        """The upload is read up to `at`."""
        self._rise(self._base + _READING * (at - self._base))

    def encode(self, documents: Sequence[Document], owners: Mapping[str, str], end: float) -> None:
        """Documents come to the index; with them the work is done up to `end`."""
        self._documents, self._owners, self._end = documents, owners, end
        self._ends = list(accumulate(len(one.text) for one in documents))

    def encoded(self, done: int, total: int) -> None:
        """So many characters of these documents are encoded."""
        if done < total:
            self.place = self._place(done)
        self._share(_READING + _ENCODING * done / max(1, total))

    def indexed(self, done: int, total: int) -> None:
        """So many tokens of these documents are in the index."""
        self._share(_READING + _ENCODING + _INDEXING * done / max(1, total))

    def commit(self, at: float) -> None:
        """The work up to `at` is done."""
        self._base = at
        self._rise(at)

    def _share(self, share: float) -> None:
        self._rise(self._base + share * (self._end - self._base))

    def _rise(self, at: float) -> None:
        self._fraction = max(self._fraction, min(_MOST_AHEAD, at / max(1, self._total)))

    def _place(self, done: int) -> JobPlace:
        number = min(bisect_right(self._ends, done), len(self._documents) - 1)
        document = self._documents[number]
        file = self._owners.get(document.id, document.id)
        within = done - (self._ends[number - 1] if number else 0)
        if pages := [mark for mark in document.marks if mark.kind == "page"]:
            page = max((mark.number for mark in pages if mark.start < max(1, within)), default=0)
            return JobPlace(file=file, unit="page", done=page, total=max(mark.number for mark in pages))
        return JobPlace(file=file, unit="character", done=within, total=len(document.text))


@asynccontextmanager
async def shown(
    queue: JobQueue, bell: WakeUps, claim: Claim, progress: Progress, *, every_s: float = _EVERY_S
) -> AsyncIterator[None]:
    """Writes the progress down for as long as the block runs, so that every process can show it."""
    over = asyncio.Event()
    task = asyncio.create_task(_show(queue, bell, claim, progress, every_s, over))
    try:
        yield
    finally:
        over.set()
        await task


async def _show(
    queue: JobQueue, bell: WakeUps, claim: Claim, progress: Progress, every_s: float, over: asyncio.Event
) -> None:
    written: object = None
    while not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), every_s)
            return
        now = progress.fraction, progress.place
        if now == written:
            continue
        with suppress(*UNAVAILABLE):
            place = msgspec.json.encode(progress.place).decode()
            await queue.show(claim, progress.fraction, place)
            await bell.ring(f"job:{claim.job}")
            written = now
