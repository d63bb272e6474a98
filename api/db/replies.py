"""Rows as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from excerpta.types import JobError, JobReply, JobSource
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
    completed = await session.scalars(
        select(BatchRow.sources)
        .where(BatchRow.job_id == row.id, BatchRow.sources != "[]")
        .order_by(BatchRow.number)
        .limit(_MOST_SOURCES)
    )
    sources = [
        one for text in completed for one in msgspec.json.decode(text, type=list[tuple[str, Any, int]])
    ]
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
        sources=[
            JobSource(name=name, state=state, documents=documents)
            for name, state, documents in sources[:_MOST_SOURCES]
        ],
        created_at=iso_time(row.created_at),
        started_at=None if row.started_at is None else iso_time(row.started_at),
        finished_at=None if row.finished_at is None else iso_time(row.finished_at),
    )


def iso_time(seconds: float) -> str:
    """Seconds since 1970 as an ISO 8601 time.

    >>> iso_time(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()
