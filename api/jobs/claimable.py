"""Statements for the jobs that may run now: one at a time for each collection, in order of arrival."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.db import JobRow

FINISHED = ("succeeded", "partial", "failed", "cancelled")
_CANDIDATES = 50


def _claimable() -> ColumnElement[bool]:
    """Whether a job is unfinished and no worker holds it at the time `now`."""
    return or_(
        JobRow.state == "queued", (JobRow.state == "running") & (JobRow.lease_until < bindparam("now"))
    )


def _must_wait() -> ColumnElement[bool]:
    """Whether another job of the collection has to end first.

    Changes in flight wait for nothing, and a rebuild waits for them; the others run one at a time, in order.
    A job that has begun goes on before any that has not, so no two can wait for each other.
    """
    other = aliased(JobRow)
    has_to_end_first = or_(
        ~other.inline & (other.state == "running"),
        ~other.inline
        & (other.state == "queued")
        & JobRow.started_at.is_(None)
        & (other.started_at.is_not(None) | (other.created_at < JobRow.created_at)),
        other.inline & other.state.not_in(FINISHED) & (JobRow.kind == "rebuild"),
    )
    found = exists().where(
        other.collection_id == JobRow.collection_id, other.id != JobRow.id, has_to_end_first
    )
    return and_(~JobRow.inline, found)


# Workers ask for these every few seconds, so they are built once; `now` is in seconds since 1970.
CLAIMABLE = (
    select(JobRow.id).where(_claimable(), ~_must_wait()).order_by(JobRow.created_at).limit(_CANDIDATES)
)
"""The ids of the jobs that may run `now`, the oldest first."""
CLAIMABLE_JOB = (
    select(JobRow)
    .where(JobRow.id == bindparam("job"), _claimable(), ~_must_wait())
    .execution_options(populate_existing=True)
)
"""The row of `job` as it is in the database, if it may run `now`."""


async def begun_rebuild(session: AsyncSession, collection: str) -> str | None:
    """The rebuild of a collection that is under way.

    One that lost its worker counts too: it goes on where it was, and would miss what is changed before.
    """
    found: str | None = await session.scalar(
        select(JobRow.id).where(
            JobRow.collection_id == collection,
            JobRow.kind == "rebuild",
            or_(JobRow.state == "running", (JobRow.state == "queued") & JobRow.started_at.is_not(None)),
        )
    )
    return found
