"""Sources in the database: which file a document is of, and what became of the file when it was last read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.documents import parts, remove_documents, take_from_sources
from api.db.tables import DocumentRow, JobRow, SourceRow
from retrieval.corpus import READER

SourceState: TypeAlias = Literal["reading", "read", "partial", "failed"]
"""Whether a source was read to its end: not yet, wholly, without some of its parts, or not at all. Of one
that could not be read at all the earlier documents stay."""

MOST_REPORTED = 20
"""So many parts of a source that could not be read are kept with it, and as many remarks."""


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A source that was read to its end, or whose content was found unchanged; `hash` is of its content."""

    name: str
    hash: str
    bytes: int
    state: Literal["read", "partial", "failed", "unchanged"]
    documents: int
    report: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class SourceChange:
    """The effect of a batch on sources.

    `begun` are sources of which it has documents, with more to come, `ended` those it completes. `kept` are
    documents that are there already, by id with their hash and source; `gone` are the ids of documents that
    completed sources had before and no longer have.
    """

    begun: Collection[str] = ()
    ended: Sequence[ReadSource] = ()
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    gone: Sequence[str] = ()


async def known_sources(session: AsyncSession, collection: str, names: Sequence[str]) -> dict[str, SourceRow]:
    """The rows of those of the sources that there are, by name."""
    found: dict[str, SourceRow] = {}
    for some in parts(names):
        rows = await session.scalars(
            select(SourceRow).where(SourceRow.collection_id == collection, SourceRow.name.in_(some))
        )
        found.update((row.name, row) for row in rows)
    return found


def is_current(row: SourceRow | None, digest: str) -> bool:
    """Whether a content was read before, by the same reader, and its documents are still there."""
    if row is None or row.state not in ("read", "partial"):
        return False
    return row.hash == digest and row.reader == READER


def reported(row: SourceRow) -> list[tuple[str, str]]:
    """What there was to say when a source was last read: names and reasons."""
    return msgspec.json.decode(row.report, type=list[tuple[str, str]])


def is_known_failure(row: SourceRow, digest: str) -> bool:
    """Whether the same reader could not read this content before."""
    return row.state == "failed" and row.hash == digest and row.reader == READER


async def live_hashes(session: AsyncSession, collection: str, ids: Sequence[str]) -> dict[str, str]:
    """The hashes of those of the documents that there are, by id."""
    found: dict[str, str] = {}
    for some in parts(ids):
        rows = await session.execute(
            select(DocumentRow.id, DocumentRow.hash).where(
                DocumentRow.collection_id == collection, DocumentRow.id.in_(some), ~DocumentRow.deleted
            )
        )
        found.update((identity, digest) for identity, digest in rows)
    return found


async def documents_of(
    session: AsyncSession, collection: str, names: Sequence[str], *, besides: str = ""
) -> set[str]:
    """Ids of the documents of these sources, without those that the job `besides` has brought."""
    found: set[str] = set()
    for some in parts(names):
        found.update(
            await session.scalars(
                select(DocumentRow.id).where(
                    DocumentRow.collection_id == collection,
                    DocumentRow.source.in_(some),
                    ~DocumentRow.deleted,
                    DocumentRow.job_id != besides,
                )
            )
        )
    return found


async def all_documents_of(session: AsyncSession, collection: str, names: Sequence[str]) -> set[str]:
    """Ids of the documents of these sources, with those that earlier releases read from them."""
    unassigned = await unassigned_documents(session, collection)
    earlier = set().union(*(unassigned.get(name, set()) for name in names))
    return earlier | await documents_of(session, collection, names)


async def unassigned_documents(session: AsyncSession, collection: str) -> dict[str, set[str]]:
    """Ids of documents that earlier releases read from files, by each name that their source may have.

    They did not note it. The metadata have the file, or the member of an archive; so has the id, mostly.
    """
    rows = await session.execute(
        select(DocumentRow.id, DocumentRow.fields)
        .join(JobRow, JobRow.id == DocumentRow.job_id)
        .where(
            DocumentRow.collection_id == collection,
            DocumentRow.source.is_(None),
            ~DocumentRow.deleted,
            JobRow.kind == "files",
        )
    )
    found: dict[str, set[str]] = {}
    for identity, fields in rows:
        named = msgspec.json.decode(fields).get("source")
        for name in {identity, identity.rpartition("#")[0], named if isinstance(named, str) else ""}:
            for candidate in _files_around(name):
                found.setdefault(candidate, set()).add(identity)
    return found


async def still_unassigned(session: AsyncSession, collection: str, ids: Collection[str]) -> set[str]:
    """Those of the documents that have no source yet."""
    found: set[str] = set()
    for some in parts(sorted(ids)):
        found.update(
            await session.scalars(
                select(DocumentRow.id).where(
                    DocumentRow.collection_id == collection,
                    DocumentRow.id.in_(some),
                    DocumentRow.source.is_(None),
                    ~DocumentRow.deleted,
                )
            )
        )
    return found


def _files_around(name: str) -> Iterable[str]:
    """The name, and those of the archives that it may be a member of."""
    if name:
        yield name
        yield from (str(path) for path in PurePosixPath(name).parents if path.suffix.lower() == ".zip")


async def lock_sources(session: AsyncSession, collection: str, change: SourceChange) -> None:
    """Holds the rows of the sources until the end of the transaction.

    Taken before those of documents, as by every other change, so that two cannot wait for each other.
    """
    for some in parts(sorted({*change.begun, *(one.name for one in change.ended)})):
        await session.execute(
            select(SourceRow.name)
            .where(SourceRow.collection_id == collection, SourceRow.name.in_(some))
            .order_by(SourceRow.name)
            .with_for_update()
        )


async def record_sources(
    session: AsyncSession,
    collection: str,
    change: SourceChange,
    *,
    version: int,
    job: str,
    batch: int,
    folder: str | None = None,
) -> None:
    """Writes what a batch did to sources, after its documents were put in. They are of the `folder` then."""
    await _keep(session, collection, change.kept, job=job, batch=batch)
    await remove_documents(session, collection, change.gone, version=version, job=job)
    ended = {one.name: one for one in change.ended if one.state != "unchanged"}
    names = sorted({*change.begun, *ended})
    known = await known_sources(session, collection, names)
    counts = await _count(session, collection, list(ended))
    for name in names:
        row = known.get(name)
        if row is None:
            row = SourceRow(
                collection_id=collection, name=name, reader="", bytes=0, documents=0, report="[]", version=0
            )
            session.add(row)
        row.job_id, row.version, row.updated_at = job, max(version, row.version), time.time()
        row.hash, row.state = "", "reading"
        row.folder = folder or row.folder
        if one := ended.get(name):
            row.hash, row.reader, row.bytes = one.hash, READER, one.bytes
            row.state, row.documents = one.state, counts.get(name, 0)
            row.report = msgspec.json.encode(one.report).decode()
    await session.flush()
    if folder is not None:
        for some in parts([one.name for one in change.ended if one.state == "unchanged"]):
            await session.execute(
                update(SourceRow)
                .where(SourceRow.collection_id == collection, SourceRow.name.in_(some))
                .values(folder=folder)
            )


async def restore_sources(
    session: AsyncSession, collection: str, documents: Mapping[str, int], *, version: int, job: str
) -> None:
    """Writes the sources of an imported collection, with the numbers of their `documents`, by name.

    Without a hash: each is read again the next time it is indexed, and then replaced as any other.
    """
    now = time.time()
    session.add_all(
        SourceRow(
            collection_id=collection,
            name=name,
            hash="",
            reader="",
            bytes=0,
            documents=count,
            state="read",
            report="[]",
            job_id=job,
            version=version,
            updated_at=now,
        )
        for name, count in documents.items()
    )
    await session.flush()


async def forget_sources(session: AsyncSession, collection: str, names: Sequence[str]) -> None:
    """Removes the rows of sources that have no documents left."""
    counts = await _count(session, collection, names)
    for some in parts([name for name in names if not counts.get(name)]):
        await session.execute(
            delete(SourceRow).where(SourceRow.collection_id == collection, SourceRow.name.in_(some))
        )


async def _keep(
    session: AsyncSession, collection: str, kept: Mapping[str, tuple[str, str]], *, job: str, batch: int
) -> None:
    """Notes that a job has found documents as they are, where no other change came first."""
    if not kept:
        return
    owners: dict[str, str | None] = {identity: source for identity, (_, source) in kept.items()}
    await take_from_sources(session, collection, owners)
    table = DocumentRow.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(
            table.c.collection_id == collection,
            table.c.id == bindparam("kept_id"),
            table.c.hash == bindparam("kept_hash"),
            ~table.c.deleted,
        )
        .values(job_id=job, batch=batch, source=bindparam("kept_source"))
    )
    values = [
        {"kept_id": identity, "kept_hash": digest, "kept_source": source}
        for identity, (digest, source) in kept.items()
    ]
    await (await session.connection()).execute(statement, values)


async def _count(session: AsyncSession, collection: str, names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for some in parts(names):
        rows = await session.execute(
            select(DocumentRow.source, func.count())
            .where(
                DocumentRow.collection_id == collection,
                DocumentRow.source.in_(some),
                ~DocumentRow.deleted,
            )
            .group_by(DocumentRow.source)
        )
        counts.update((name, number) for name, number in rows if name is not None)
    return counts
