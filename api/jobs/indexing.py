"""The work of a job: each batch goes into the index, then into the database.

The index commits first, under the key (job, batch), and the database second. If a crash falls in between,
the rerun gets the index's record of the batch and writes only the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from typing import ParamSpec, TypeVar

import msgspec
import structlog
from sqlalchemy import func, select

from api.collections.library import Entry, Library
from api.db import BatchRow, Database, DocumentRow
from api.db.documents import document_of, document_row
from api.db.sources import SourceChange
from api.errors import JobStopped
from api.jobs.batches import Batch, BatchLimits, Cursor, batches
from api.jobs.lease import Stop
from api.jobs.outcome import SUCCEEDED, Outcome, outcome_of
from api.jobs.prewarm import Warmer
from api.jobs.progress import Progress
from api.jobs.queue import Claim, JobQueue
from api.jobs.sources import SourceReading
from api.jobs.uploads import Uploads
from base.errors import ExcerptaError
from retrieval import BatchKey, Collection, Commit, Document
from retrieval.corpus import DEFAULT_LIMITS
from retrieval.corpus.file_reader import FileReader, ReadHere
from retrieval.corpus.loaders.places import Listener
from retrieval.segments.crash_points import crash_point

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.get_logger("excerpta.jobs")
_MOST_MERGED = 65_536
"""Passages that are merged while a job waits for it: some minutes on one core."""


class Indexer:
    """Runs claims. What blocks runs in `threads`, apart from those that queries use."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        library: Library,
        spool: Uploads,
        threads: ThreadPoolExecutor,
        cut: BatchLimits,
        warmer: Warmer,
        reader: Callable[[str, Callable[[], None], Listener], FileReader],
        *,
        merges: bool,
    ) -> None:
        self._database = database
        self._queue = queue
        self._library = library
        self._spool = spool
        self._threads = threads
        self._cut = cut
        self._warmer = warmer
        self._reader = reader
        self._merges = merges

    async def run(
        self, claim: Claim, stop: Stop, progress: Progress, committed: Callable[[], Awaitable[None]]
    ) -> Outcome:
        """Does a queued job's work from its last committed batch on; calls `committed` after each."""
        entry = await self._library.by_id(claim.collection)
        if claim.inline:
            await self._heal(claim, entry)
        elif claim.kind == "rebuild":
            await self._rebuild(claim, entry, stop, progress, committed)
        else:
            with contextlib.closing(self._reader(claim.collection, stop.check, progress.page)) as reader:
                await self._index(claim, entry, stop, progress, committed, reader)
            return outcome_of(await self._queue.batches(claim.job), lines=claim.kind == "documents")
        return SUCCEEDED

    async def add(self, claim: Claim, documents: Sequence[Document]) -> Commit:
        """One batch at once, for a request that waits; the commit names the collection's own version."""
        entry = await self._library.by_id(claim.collection)
        collection = await self._run(self._library.open, entry)
        commit = await self._run(collection.add, documents, batch=BatchKey(claim.job, 0))
        await self._forget_replaced(entry, documents, commit)
        await self._record(claim, entry, 0, Batch(list(documents), [], len(documents), Cursor()), commit)
        return replace(commit, version=entry.version_base + commit.version)

    async def delete(self, claim: Claim, ids: Sequence[str], sources: Sequence[str] = ()) -> tuple[int, int]:
        """Deletes documents at once; how many were there, and the version without them.

        `sources` are those whose documents they are.
        """
        entry = await self._library.by_id(claim.collection)
        collection = await self._run(self._library.open, entry)
        deletion = await self._run(collection.delete, ids)
        version = entry.version_base + deletion.version
        await self._library.forget(entry, ids)
        await self._queue.forget_documents(claim, ids, version=version, sources=sources)
        return deletion.deleted, version

    async def _heal(self, claim: Claim, entry: Entry) -> None:
        """Writes to the database what the index committed before the process of a change died.

        A change that the index does not have was never confirmed. It is dropped, because its sender may
        have sent a newer one since.
        """
        collection = await self._run(self._library.open, entry)
        if claim.kind == "delete":
            files = await self._run(self._spool.files, claim.job)
            ids = msgspec.json.decode(files[0].path.read_bytes(), type=list[str])
            gone = set(ids) - await self._run(collection.contains, ids)
            version = entry.version_base + await self._run(_version, collection)
            await self._library.forget(entry, gone)
            await self._queue.forget_documents(claim, sorted(gone), version=version)
            return
        commit = await self._run(collection.committed, BatchKey(claim.job, 0))
        if commit is not None:
            whole = BatchLimits(documents=2**31, characters=2**62)
            batch = next(
                batches(
                    await self._run(self._spool.files, claim.job),
                    lines=True,
                    start=Cursor(),
                    cut=whole,
                    reader=ReadHere(DEFAULT_LIMITS),
                )
            )
            await self._forget_replaced(entry, batch.documents, commit)
            await self._record(claim, entry, 0, batch, commit)

    async def _index(
        self,
        claim: Claim,
        entry: Entry,
        stop: Stop,
        progress: Progress,
        committed: Callable[[], Awaitable[None]],
        reader: FileReader,
    ) -> None:
        done = await self._queue.batches(claim.job)
        start = msgspec.json.decode(done[-1].cursor, type=Cursor) if done else Cursor()
        collection = await self._run(self._library.open, entry)
        files = await self._run(self._spool.files, claim.job)
        sources = SourceReading(self._database, entry.id, claim.job)
        lines = claim.kind == "documents"
        read = batches(
            files,
            lines=lines,
            start=start,
            cut=self._cut,
            reader=reader,
            known={} if lines else await sources.known([file.name for file in files]),
            folder=claim.folder,
            progress=progress,
        )
        for number in count(len(done)):
            batch = await self._run(next, read, None)
            if batch is None:
                await self._merge(claim, collection, stop)
                return
            stop.check()
            change = None if lines else await sources.change(batch)
            documents = batch.documents
            gone: Sequence[str] = ()
            if change is not None:
                documents = [one for one in documents if one.id not in change.kept]
                gone = change.gone
            commit = None
            if documents or gone:
                key = BatchKey(claim.job, number)
                progress.encode(documents, batch.owners, batch.at)
                commit = await self._add(collection, documents, key, stop, progress, gone)
                crash_point("job.indexed")
                await self._forget_replaced(entry, documents, commit, gone)
            await self._record(claim, entry, number, batch, commit, change)
            crash_point("job.recorded")
            progress.commit(batch.at)
            await committed()
            if entry.settings.prewarm:
                names = [one.id for one in documents]
                await self._run(self._warmer.warm, entry, collection, names, stop)

    async def _rebuild(
        self,
        claim: Claim,
        entry: Entry,
        stop: Stop,
        progress: Progress,
        committed: Callable[[], Awaitable[None]],
    ) -> None:
        """Builds the index anew from the documents, beside the old one, and lets it take its place."""
        done = await self._queue.batches(claim.job)
        after = done[-1].cursor if done else ""
        total, at = await self.count(entry), sum(row.documents for row in done)
        await self._queue.set_total(claim, total)
        progress.begin(at, total)
        collection = await self._run(self._library.make, claim.job, entry.settings)
        for number in count(len(done)):
            documents = await self._documents_after(entry, after)
            if not documents:
                break
            after = documents[-1].id
            at += len(documents)
            stop.check()
            key = BatchKey(claim.job, number)
            progress.encode(documents, {}, at)
            commit = await self._add(collection, documents, key, stop, progress)
            row = _batch_row(claim, number, len(documents), commit.passages, commit.version, after, "[]")
            await self._queue.commit(claim, row, [])
            progress.commit(at)
            await committed()
        await self._merge(claim, collection, stop)
        version_base = await self._last_version(entry)
        await self._queue.swap_directory(claim, claim.job, version_base=version_base)

    async def _merge(self, claim: Claim, collection: Collection, stop: Stop) -> None:
        """Makes one segment of the job's batches: a search of sixteen takes four times the CPU time.

        Larger jobs leave it to the merging that goes on beside them, and so does whatever fails.
        """
        added = [row.passages for row in await self._queue.batches(claim.job) if row.passages]
        if not self._merges or len(added) < 2 or sum(added) > _MOST_MERGED:
            return
        try:
            await self._run(collection.merge_newest, sum(added), pause=stop.check)
        except JobStopped:
            raise
        except (ExcerptaError, OSError) as error:
            _log.warning("jobs.merging-failed", job=claim.job, error=str(error))

    async def _add(
        self,
        collection: Collection,
        documents: list[Document],
        key: BatchKey,
        stop: Stop,
        progress: Progress,
        gone: Sequence[str] = (),
    ) -> Commit:
        told = partial(_told, stop, progress.encoded), partial(_told, stop, progress.indexed)
        commit = await self._run(collection.committed, key)
        if commit is None:
            return await self._run(
                collection.add, documents, gone=gone, batch=key, progress=told[0], indexed=told[1]
            )
        left = await self._run(collection.contains, gone)
        if left or commit.added + commit.replaced != len(documents):
            # The index has this batch from before its worker died, when batches were cut to another size.
            # It began where this one begins, so one that is as long is the same.
            commit = await self._run(collection.add, documents, gone=left, progress=told[0], indexed=told[1])
        return commit

    async def _forget_replaced(
        self, entry: Entry, documents: Sequence[Document], commit: Commit, gone: Sequence[str] = ()
    ) -> None:
        """Deletes cached blocks of older texts. Done before the batch is recorded, so a rerun repeats it."""
        if commit.replaced or gone:
            await self._library.forget(entry, [*(one.id for one in documents), *gone])

    async def _record(
        self,
        claim: Claim,
        entry: Entry,
        number: int,
        batch: Batch,
        commit: Commit | None,
        change: SourceChange | None = None,
    ) -> None:
        version = entry.version_base + (commit.version if commit else 0)
        kept = change.kept if change else {}
        rows = [
            document_row(
                one,
                collection=entry.id,
                version=version,
                job=claim.job,
                batch=number,
                source=batch.owners.get(one.id),
            )
            for one in batch.documents
            if one.id not in kept
        ]
        errors = msgspec.json.encode([(one.name, one.reason) for one in batch.unread]).decode()
        cursor = msgspec.json.encode(batch.cursor).decode()
        passages = commit.passages if commit else 0
        row = _batch_row(claim, number, batch.taken, passages, version, cursor, errors)
        if change is None:
            await self._queue.commit(claim, row, rows)
            return
        row.sources = msgspec.json.encode(
            [(one.name, one.state, one.documents, one.report) for one in batch.ended]
        ).decode()
        row.removed = len(change.gone)
        await self._queue.commit(claim, row, rows, change)

    async def _documents_after(self, entry: Entry, after: str) -> list[Document]:
        """The next documents by id, as many as one batch takes."""
        async with self._database.read() as session:
            rows = await session.stream_scalars(
                select(DocumentRow)
                .where(DocumentRow.collection_id == entry.id, DocumentRow.id > after, ~DocumentRow.deleted)
                .order_by(DocumentRow.id)
                .limit(self._cut.documents)
                .execution_options(yield_per=1)
            )
            documents: list[Document] = []
            async for row in rows:
                documents.append(document_of(row))
                if sum(len(one.text) for one in documents) >= self._cut.characters:
                    break
            return documents

    async def count(self, entry: Entry) -> int:
        """How many documents a collection has, by the database."""
        async with self._database.read() as session:
            counted = select(func.count()).where(DocumentRow.collection_id == entry.id, ~DocumentRow.deleted)
            return await session.scalar(counted) or 0

    async def _last_version(self, entry: Entry) -> int:
        """The highest version that the collection has published. Its index may be unreadable."""
        async with self._database.read() as session:
            newest = select(func.max(DocumentRow.version)).where(DocumentRow.collection_id == entry.id)
            last = max(entry.version_base, await session.scalar(newest) or 0)
        try:
            collection = await self._run(self._library.open, entry)
            return max(last, entry.version_base + await self._run(_version, collection))
        except ExcerptaError:
            return last + 1

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))


def _told(stop: Stop, tell: Callable[[int, int], None], done: int, total: int) -> None:
    stop.check()
    tell(done, total)


def _version(collection: Collection) -> int:
    with collection.snapshot() as snapshot:
        return snapshot.version


def _batch_row(
    claim: Claim, number: int, documents: int, passages: int, version: int, cursor: str, errors: str
) -> BatchRow:
    return BatchRow(
        job_id=claim.job,
        number=number,
        documents=documents,
        passages=passages,
        version=version,
        cursor=cursor,
        errors=errors,
        committed_at=time.time(),
    )
