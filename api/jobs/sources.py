"""What a batch of a job does to the sources whose documents it has."""

from __future__ import annotations

from collections.abc import Sequence

from api.db import Database, SourceRow
from api.db.documents import document_hash
from api.db.sources import (
    SourceChange,
    documents_of,
    known_sources,
    live_hashes,
    still_unassigned,
    unassigned_documents,
)
from api.jobs.batches import Batch


class SourceReading:
    """Compares the batches of one job with what the database has of their sources."""

    def __init__(self, database: Database, collection: str, job: str) -> None:
        self._database = database
        self._collection = collection
        self._job = job
        self._unassigned: dict[str, set[str]] | None = None

    async def known(self, names: Sequence[str]) -> dict[str, SourceRow]:
        """The sources among these names that were read before."""
        async with self._database.read() as session:
            return await known_sources(session, self._collection, list(dict.fromkeys(names)))

    async def change(self, batch: Batch) -> SourceChange:
        """Which documents of the batch are there already, and which of its completed sources' are gone.

        A document that an earlier batch of the job has brought is not gone: the database names the job with
        each document, and has all earlier batches.
        """
        ended = [one.name for one in batch.ended if one.state in ("read", "partial")]
        hashes = {one.id: document_hash(one) for one in batch.documents}
        async with self._database.read() as session:
            there = await live_hashes(session, self._collection, list(hashes))
            before = await documents_of(session, self._collection, ended, besides=self._job)
            if ended and self._unassigned is None:
                self._unassigned = await unassigned_documents(session, self._collection)
            earlier = set().union(*((self._unassigned or {}).get(name, set()) for name in ended))
            before |= await still_unassigned(session, self._collection, earlier)
        kept = {
            identity: (digest, batch.owners[identity])
            for identity, digest in hashes.items()
            if there.get(identity) == digest
        }
        gone = sorted(before - hashes.keys())
        return SourceChange(batch.begun, batch.ended, kept, gone)
