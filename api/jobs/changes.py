"""Single changes that a request waits for: jobs of one batch, run here, removed when the reply is sent.

If this process dies in between, another process finds the row and makes the database agree with the index.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
from excerpta.types import DocumentIn

from api.collections.library import Entry
from api.errors import JobStopped
from api.http.ids import new_id
from api.jobs.lease import Stop, held
from api.jobs.queue import Claim, Kind
from api.service import Service
from base.errors import ExcerptaError
from retrieval import Commit, Document


async def add_documents(service: Service, entry: Entry, documents: Sequence[Document]) -> Commit:
    """Puts documents in, all or none; the commit names the collection's own version."""
    lines = b"\n".join(
        msgspec.json.encode(
            DocumentIn(id=one.id, text=one.text, title=one.title, metadata=dict(one.metadata))
        )
        for one in documents
    )
    async with _change(service, entry, "documents", lines) as claim:
        return await service.indexer.add(claim, documents)


async def delete_documents(service: Service, entry: Entry, ids: Sequence[str]) -> tuple[int, int]:
    """Deletes documents; how many were there, and the version without them."""
    async with _change(service, entry, "delete", msgspec.json.encode(ids)) as claim:
        return await service.indexer.delete(claim, ids)


@asynccontextmanager
async def _change(service: Service, entry: Entry, kind: Kind, content: bytes) -> AsyncIterator[Claim]:
    job = new_id("job")

    def write() -> None:
        with service.spool.writer() as upload:
            upload.add("change", content)
            upload.keep(job)

    await service.library.run(write)
    try:
        await service.queue.put(job, entry.id, kind, inline=True)
    except BaseException:
        service.spool.drop(job)
        raise
    claim = service.queue.own(job, entry.id, kind)
    try:
        async with held(service.queue, service.bell, claim, Stop()):
            yield claim
    except ExcerptaError:
        # Refused before the index changed: nothing to make good. What else fails is left for a worker.
        with suppress(JobStopped):
            await service.queue.finish(claim, "failed", None)
        service.spool.drop(job)
        raise
    await service.queue.finish(claim, "succeeded", None)
    service.spool.drop(job)
