"""Single changes that a request waits for: jobs of one batch, run here, removed when the reply is sent.

If this process dies in between, another process finds the row and makes the database agree with the index.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
from excerpta.types import DocumentIn

from api.access.caller import LOCAL, Caller
from api.collections.library import Entry, Library
from api.db import Database
from api.db.sources import all_documents_of
from api.errors import JobStopped
from api.http.ids import new_id
from api.jobs.indexing import Indexer
from api.jobs.lease import Stop, held
from api.jobs.queue import Claim, JobQueue, Kind
from api.jobs.uploads import Uploads
from api.jobs.wakeups import WakeUps
from base.errors import ExcerptaError
from retrieval import Commit, Document


class Changes:
    """Single changes of collections, each a job of one batch in this process."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        spool: Uploads,
        indexer: Indexer,
        library: Library,
        bell: WakeUps,
    ) -> None:
        self._database = database
        self._queue = queue
        self._spool = spool
        self._indexer = indexer
        self._library = library
        self._bell = bell

    async def add(self, entry: Entry, documents: Sequence[Document], *, caller: Caller = LOCAL) -> Commit:
        """Puts documents in, all or none; the commit names the collection's own version."""
        lines = b"\n".join(
            msgspec.json.encode(
                DocumentIn(id=one.id, text=one.text, title=one.title, metadata=dict(one.metadata))
            )
            for one in documents
        )
        async with self._claimed(entry, "documents", lines, caller) as claim:
            return await self._indexer.add(claim, documents)

    async def delete(self, entry: Entry, ids: Sequence[str], *, caller: Caller = LOCAL) -> tuple[int, int]:
        """Deletes documents; how many were there, and the version without them."""
        async with self._claimed(entry, "delete", msgspec.json.encode(ids), caller) as claim:
            return await self._indexer.delete(claim, ids)

    async def delete_sources(
        self, entry: Entry, names: Sequence[str], *, caller: Caller = LOCAL
    ) -> tuple[int, int]:
        """Deletes sources with their documents; how many documents were there, and the version without."""
        async with self._database.read() as session:
            ids = sorted(await all_documents_of(session, entry.id, names))
        async with self._claimed(entry, "delete", msgspec.json.encode(ids), caller) as claim:
            return await self._indexer.delete(claim, ids, names)

    @asynccontextmanager
    async def _claimed(
        self, entry: Entry, kind: Kind, content: bytes, caller: Caller
    ) -> AsyncIterator[Claim]:
        job = new_id("job")

        def write() -> None:
            with self._spool.writer() as upload:
                upload.add("change", content)
                upload.keep(job)

        await self._library.run(write)
        try:
            await self._queue.put(job, entry.id, kind, inline=True, caller=caller)
        except BaseException:
            self._spool.drop(job)
            raise
        claim = self._queue.own(job, entry.id, kind)
        try:
            async with held(self._queue, self._bell, claim, Stop()):
                yield claim
        except ExcerptaError:
            # Refused before the index changed: nothing to make good. What else fails is left for a worker. If
            # another process has the job by now, it needs the upload.
            with suppress(JobStopped):
                await self._queue.finish(claim, "failed", None)
                self._spool.drop(job)
            raise
        await self._queue.finish(claim, "succeeded", None)
        self._spool.drop(job)
