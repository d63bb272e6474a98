"""Jobs as rows: taken by lease, guarded by a fence, finished once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.access.caller import LOCAL, Caller
from api.db import BatchRow, CollectionRow, Database, DocumentRow, IdempotencyRow, JobRow
from api.db.documents import put_documents, remove_documents
from api.db.sources import SourceChange, forget_sources, lock_sources, record_sources
from api.errors import CollectionBusy, IdempotencyConflict, JobStopped, UnknownCollection, UnknownJob
from api.jobs.claimable import CLAIMABLE, CLAIMABLE_JOB, FINISHED, begun_rebuild
from api.jobs.outcome import Ending
from api.jobs.process import ProcessLock

Kind: TypeAlias = Literal["documents", "files", "delete", "rebuild"]
MOST_ATTEMPTS = 5
"""A job that loses this many workers in a row without committing a batch is taken to kill them."""
_CANCELLED = "it was cancelled"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one job until its lease runs out. `fence` is higher than any earlier owner's.

    `folder` is that which the job's files are of, if they have one in common.
    """

    job: str
    collection: str
    kind: Kind
    inline: bool
    owner: str
    fence: int
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """The Idempotency-Key of a request and the digest of its content: equal ones are the same request."""

    key: str
    digest: str


class JobQueue:
    """The jobs of one database. Every change of a job names the claim that allows it."""

    def __init__(self, database: Database, owner: ProcessLock, *, lease_s: float) -> None:
        self._database = database
        self._owner = owner
        self.lease_s = lease_s

    async def put(
        self,
        job: str,
        collection: str,
        kind: Kind,
        *,
        total: int | None = None,
        files: int | None = None,
        size: int | None = None,
        folder: str | None = None,
        upload: Upload | None = None,
        inline: bool = False,
        caller: Caller = LOCAL,
    ) -> tuple[str, bool]:
        """Adds a job; returns its id, and whether it is new. A repeated upload returns its first job.

        `files` and `size` (in bytes) are those of its upload, `folder` is the one that its files are of.
        An `inline` job starts with this process as its owner. Raises UnknownCollection, CollectionBusy,
        IdempotencyConflict.
        """
        now = time.time()
        async with self._database.write() as session:
            row = await _locked(session, collection)
            if upload is not None and (
                earlier := await session.get(IdempotencyRow, (collection, upload.key))
            ):
                if earlier.digest != upload.digest:
                    raise IdempotencyConflict(upload.key, earlier.job_id)
                return earlier.job_id, False
            if inline and (rebuild := await begun_rebuild(session, collection)):
                raise CollectionBusy(row.name, rebuild)
            session.add(
                JobRow(
                    id=job,
                    collection_id=collection,
                    kind=kind,
                    tenant=caller.tenant,
                    key=caller.key,
                    inline=inline,
                    state="running" if inline else "queued",
                    total=total,
                    files=files,
                    bytes=size,
                    folder=folder,
                    owner=self._owner.name if inline else None,
                    lease_until=now + self.lease_s if inline else 0.0,
                    fence=1 if inline else 0,
                    attempts=1 if inline else 0,
                    created_at=now,
                    started_at=now if inline else None,
                )
            )
            if upload is not None:
                await session.flush()
                session.add(
                    IdempotencyRow(
                        collection_id=collection,
                        key=upload.key,
                        digest=upload.digest,
                        job_id=job,
                        created_at=now,
                    )
                )
        return job, True

    def own(self, job: str, collection: str, kind: Kind) -> Claim:
        """The claim on an inline job that this process has just put."""
        return Claim(job, collection, kind, True, self._owner.name, 1)

    async def claim(self) -> Claim | None:
        """The oldest job that may run now; None when there is none.

        Jobs of one collection run one after another; a rebuild also waits for changes in flight.
        """
        async with self._database.read() as session:
            waiting = (await session.scalars(CLAIMABLE, {"now": time.time()})).all()
        for job in waiting:
            if claim := await self._try_claim(job):
                return claim
        return None

    async def _try_claim(self, job: str) -> Claim | None:
        async with self._database.write() as session:
            found = await session.get(JobRow, job)
            if found is None:
                return None
            try:
                # Claims on one collection queue here, so that two cannot both see it free.
                await _locked(session, found.collection_id)
            except UnknownCollection:
                return None
            now = time.time()
            row = await session.scalar(CLAIMABLE_JOB, {"job": job, "now": now})
            if row is None:
                return None
            if row.cancel_requested:
                _end(row, "cancelled", _CANCELLED)
                return None
            if row.attempts >= MOST_ATTEMPTS:
                _end(row, "failed", f"given up: {row.attempts} workers ended while they ran it")
                return None
            row.state, row.owner, row.error = "running", self._owner.name, None
            row.lease_until = now + self.lease_s
            row.fence += 1
            row.attempts += 1
            row.started_at = row.started_at or now
            return Claim(
                row.id,
                row.collection_id,
                row.kind,  # type: ignore[arg-type]
                row.inline,
                self._owner.name,
                row.fence,
                row.folder,
            )

    async def heartbeat(self, claim: Claim) -> None:
        """Extends the lease. Raises JobStopped when it is lost, or someone wants the job to end."""
        async with self._database.write() as session:
            row = await self._held(session, claim)
            row.lease_until = time.time() + self.lease_s
            cancelled = row.cancel_requested
        if cancelled:
            raise JobStopped(claim.job, _CANCELLED)

    async def commit(
        self,
        claim: Claim,
        batch: BatchRow,
        documents: Sequence[DocumentRow],
        sources: SourceChange | None = None,
    ) -> None:
        """Documents, sources, batch and progress in one transaction.

        Raises JobStopped when the lease is lost, and then changes nothing; or when someone wants the job to
        end, once the batch is in.
        """
        async with self._database.write() as session:
            row = await self._held(session, claim)
            row.done += batch.documents
            row.passages += batch.passages
            row.counts = _counted(row.counts, sources)
            row.attempts = 0
            row.lease_until = time.time() + self.lease_s
            session.add(batch)
            if sources is not None:
                await lock_sources(session, claim.collection, sources)
            await put_documents(session, documents)
            if sources is not None:
                await record_sources(
                    session,
                    claim.collection,
                    sources,
                    version=batch.version,
                    job=claim.job,
                    batch=batch.number,
                    folder=claim.folder,
                )
            cancelled = row.cancel_requested
        if cancelled:
            raise JobStopped(claim.job, _CANCELLED)

    async def forget_documents(
        self, claim: Claim, ids: Sequence[str], *, version: int, sources: Sequence[str] = ()
    ) -> None:
        """Marks documents as removed by `version` of the collection; later versions stay.

        The `sources` that have no document left are removed as well.
        """
        async with self._database.write() as session:
            await self._held(session, claim)
            await remove_documents(session, claim.collection, ids, version=version, job=claim.job)
            await forget_sources(session, claim.collection, sources)

    async def set_total(self, claim: Claim, total: int) -> None:
        """How many documents the job has, once that is known."""
        async with self._database.write() as session:
            (await self._held(session, claim)).total = total

    async def show(self, claim: Claim, progress: float, place: str) -> None:
        """Notes how far the job is, unless it was further before or the lease is lost."""
        async with self._database.write() as session:
            await session.execute(
                update(JobRow)
                .where(JobRow.id == claim.job, JobRow.owner == claim.owner, JobRow.fence == claim.fence)
                .where(JobRow.state == "running", JobRow.progress <= progress)
                .values(progress=progress, place=place)
            )

    async def note(self, claim: Claim, waits: str) -> None:
        """Says in the job what it waits for, until somebody takes it up again."""
        async with self._database.write() as session:
            await session.execute(
                update(JobRow)
                .where(JobRow.id == claim.job, JobRow.owner == claim.owner, JobRow.fence == claim.fence)
                .where(JobRow.state == "running")
                .values(error=waits)
            )

    async def batches(self, job: str) -> list[BatchRow]:
        """The committed batches, in order."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(BatchRow).where(BatchRow.job_id == job).order_by(BatchRow.number)
            )
            return list(rows)

    async def swap_directory(self, claim: Claim, directory: str, *, version_base: int) -> None:
        """Lets a rebuilt index take the place of the old one."""
        async with self._database.write() as session:
            await self._held(session, claim)
            row = await session.get_one(CollectionRow, claim.collection)
            row.directory, row.version_base = directory, version_base

    async def finish(self, claim: Claim, state: Ending, error: str | None) -> None:
        """Ends the job. An inline one leaves no row. Raises JobStopped when the lease is lost."""
        async with self._database.write() as session:
            row = await self._held(session, claim)
            if row.inline:
                await session.delete(row)
                return
            if state in ("succeeded", "partial"):
                row.total, row.progress = row.done, 1.0
            _end(row, state, error)

    async def release(self, claim: Claim) -> None:
        """Gives the job back at an orderly end of this process, to be taken up at once."""
        async with self._database.write() as session:
            row = await self._held(session, claim)
            row.state, row.owner, row.lease_until = "queued", None, 0.0
            row.attempts = max(0, row.attempts - 1)

    async def cancel(self, job: str) -> None:
        """Ends a queued job at once, a running one at its next chance; a finished one stays as it is."""
        async with self._database.write() as session:
            row = await session.get(JobRow, job)
            if row is None or row.inline:
                raise UnknownJob(job)
            if row.state == "queued":
                _end(row, "cancelled", "cancelled before it began")
            elif row.state == "running":
                row.cancel_requested = True

    async def requeue_dead(self) -> int:
        """Frees the jobs whose owner has certainly ended; returns how many. Other leases run out."""
        async with self._database.read() as session:
            owners = await session.scalars(
                select(JobRow.owner).where(JobRow.state == "running", JobRow.owner.is_not(None)).distinct()
            )
            held = [owner for owner in owners if owner]
        dead = [owner for owner in held if self._owner.is_dead(owner)]
        freed = 0
        if dead:
            async with self._database.write() as session:
                result = await session.execute(
                    update(JobRow)
                    .where(JobRow.state == "running", JobRow.owner.in_(dead))
                    .values(state="queued", owner=None, lease_until=0.0)
                )
                freed = result.rowcount  # type: ignore[attr-defined]
        self._owner.bury(keep=set(held) - set(dead))
        return freed

    async def finished_or_gone(self, jobs: Sequence[str]) -> set[str]:
        """Those of the jobs that will not run again."""
        async with self._database.read() as session:
            alive = await session.scalars(
                select(JobRow.id).where(JobRow.id.in_(jobs), JobRow.state.not_in(FINISHED))
            )
            return set(jobs) - set(alive)

    async def known(self, jobs: Sequence[str]) -> set[str]:
        """Those of the jobs that the database has, in whatever state."""
        async with self._database.read() as session:
            return set(await session.scalars(select(JobRow.id).where(JobRow.id.in_(jobs))))

    async def forget_keys(self, before: float) -> None:
        """Removes expired Idempotency-Keys."""
        async with self._database.write() as session:
            await session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before))

    async def _held(self, session: AsyncSession, claim: Claim) -> JobRow:
        # The collection before the job, as whoever deletes it locks them: else two could wait for each other.
        await session.execute(
            select(CollectionRow.id)
            .where(CollectionRow.id == claim.collection)
            .with_for_update(read=True, key_share=True)
        )
        row = await session.scalar(
            select(JobRow)
            .where(JobRow.id == claim.job, JobRow.owner == claim.owner, JobRow.fence == claim.fence)
            .where(JobRow.state == "running")
            .with_for_update()
        )
        if row is None:
            raise JobStopped(claim.job, "another worker has it, or its collection is gone")
        return row


async def _locked(session: AsyncSession, collection: str) -> CollectionRow:
    row = await session.get(CollectionRow, collection, with_for_update=True)
    if row is None:
        raise UnknownCollection(collection)
    return row


def _counted(counts: str, change: SourceChange | None) -> str:
    """How many files were read, and how, with those that a change completes."""
    found = Counter(msgspec.json.decode(counts, type=dict[str, int]))
    found.update(one.state for one in (change.ended if change else ()))
    return msgspec.json.encode(found).decode()


def _end(row: JobRow, state: str, error: str | None) -> None:
    row.state, row.error, row.finished_at = state, error, time.time()
    row.owner, row.lease_until = None, 0.0
