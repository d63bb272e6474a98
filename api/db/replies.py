"""Rows as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from excerpta.types import FileCounts, JobError, JobPlace, JobProgress, JobReply, JobSource
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.database import Database
from api.db.tables import BatchRow, CollectionRow, JobRow
from api.errors import UnknownJob

_MOST_ERRORS = 1000
_MOST_SOURCES = 1000


async def job_reply(database: Database, job: str) -> JobReply:
    """One job. Raises UnknownJob."""
    async with database.read() as session:
        found = (
            await session.execute(
                select(JobRow, CollectionRow.name)
                .join(CollectionRow, CollectionRow.id == JobRow.collection_id)
                .where(JobRow.id == job, ~JobRow.inline)
            )
        ).first()
        if found is None:
            raise UnknownJob(job)
        return await _reply(session, found[0], found[1])


async def job_replies(database: Database, *, limit: int) -> list[JobReply]:
    """The latest jobs, newest first."""
    async with database.read() as session:
        rows = await session.execute(
            select(JobRow, CollectionRow.name)
            .join(CollectionRow, CollectionRow.id == JobRow.collection_id)
            .where(~JobRow.inline)
            .order_by(JobRow.created_at.desc(), JobRow.id.desc())
            .limit(limit)
        )
        return [await _reply(session, row, name) for row, name in rows.all()]


async def _reply(session: AsyncSession, row: JobRow, collection: str) -> JobReply:
    errors = await session.scalars(
        select(BatchRow.errors)
        .where(BatchRow.job_id == row.id, BatchRow.errors != "[]")
        .order_by(BatchRow.number)
        .limit(_MOST_ERRORS)
    )
    unread = [pair for text in errors for pair in msgspec.json.decode(text, type=list[tuple[str, str]])]
    counts = msgspec.json.decode(row.counts, type=FileCounts)
    return JobReply(
        id=row.id,
        collection=collection,
        kind=row.kind,
        state=row.state,  # type: ignore[arg-type]
        done=row.done,
        total=row.total,
        passages=row.passages,
        errors=[JobError(name=name, reason=reason) for name, reason in unread[:_MOST_ERRORS]],
        error=row.error,
        sources=await _sources(session, row.id),
        counts=counts,
        progress=_progress(row, counts),
        created_at=iso_time(row.created_at),
        started_at=None if row.started_at is None else iso_time(row.started_at),
        finished_at=None if row.finished_at is None else iso_time(row.finished_at),
    )


def _progress(row: JobRow, counts: FileCounts) -> JobProgress:
    return JobProgress(
        fraction=round(row.progress, 4),
        files=counts.done,
        files_total=row.files,
        bytes=round(row.progress * (row.bytes or 0)),
        bytes_total=row.bytes,
        place=msgspec.json.decode(row.place, type=JobPlace | None) if row.state == "running" else None,
    )


async def _sources(session: AsyncSession, job: str) -> list[JobSource]:
    """The files that a job is done with, in order; where there are too many, those with remarks first."""
    has_remarks = BatchRow.sources.contains(',[["', autoescape=True)  # quotes within a name are escaped
    rows = await session.execute(
        select(BatchRow.number, BatchRow.sources)
        .where(BatchRow.job_id == job, BatchRow.sources != "[]")
        .order_by(has_remarks.desc(), BatchRow.number)
        .limit(_MOST_SOURCES)
    )
    found = [(number, at, one) for number, text in rows for at, one in enumerate(completed_sources(text))]
    found.sort(key=lambda one: not one[2].remarks)
    return [one for _, _, one in sorted(found[:_MOST_SOURCES], key=lambda one: one[:2])]


def completed_sources(text: str) -> list[JobSource]:
    """The sources that a batch has completed. Those of earlier releases have no remarks.

    >>> completed_sources('[["a.txt", "read", 1]]')[0].documents
    1
    """
    return [
        JobSource(
            name=name,
            state=state,
            documents=documents,
            remarks=[JobError(name=part, reason=reason) for part, reason in (remarks[0] if remarks else ())],
        )
        for name, state, documents, *remarks in msgspec.json.decode(text)
    ]


def iso_time(seconds: float) -> str:
    """Seconds since 1970 as an ISO 8601 time.

    >>> iso_time(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()
