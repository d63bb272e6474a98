"""Routes of sources: list and delete the files that documents came from, and find out which have changed."""

from typing import Annotated, Any
from urllib.parse import unquote

from excerpta.types import (
    CompareReply,
    CompareRequest,
    DeleteReply,
    FormatsReply,
    JobError,
    SourceList,
    SourceReply,
    SourcesRequest,
)
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import func, select

from api.access.caller import Caller
from api.access.keys import needs
from api.collections.storable import clean
from api.db import SourceRow
from api.db.replies import iso_time
from api.db.sources import is_current, is_known_failure, known_sources, reported
from api.errors import InvalidRequest
from api.http.contract import problems
from api.routes.collections import CollectionName
from api.service import Service
from retrieval.corpus import DEFAULT_LIMITS, EXTENSIONS, NAMES

SourcePath = FromPath[
    Annotated[str, Meta(description="The source's name, URL-encoded; it may hold slashes.")]
]
Prefix = FromQuery[Annotated[str, Meta(max_length=500, description="Only names that begin so.")]]
After = FromQuery[Annotated[str, Meta(max_length=512, description="`cursor` of the page before.")]]
_MOST = 10_000
PageSize = FromQuery[Annotated[int, Meta(ge=1, le=_MOST, description="Most sources in the reply.")]]


@get(
    "/v1/collections/{name:str}/sources",
    operation_id="list_sources",
    responses=problems(404, 422),
    tags=["sources"],
)
async def list_all(
    name: CollectionName,
    service: NamedDependency[Service],
    prefix: Prefix = "",
    cursor: After = "",
    limit: PageSize = 1000,
) -> SourceList:
    """The files that documents were read from, by name, a page at a time."""
    if not 1 <= limit <= _MOST:  # the framework writes the bounds into the contract and checks none
        raise InvalidRequest("limit", f"it is from 1 to {_MOST}")
    entry = await service.library.get(name)
    wanted = select(SourceRow).where(SourceRow.collection_id == entry.id, SourceRow.name > clean(cursor))
    if prefix := clean(prefix):
        wanted = wanted.where(func.substr(SourceRow.name, 1, len(prefix)) == prefix)
    async with service.database.read() as session:
        found = (await session.scalars(wanted.order_by(SourceRow.name).limit(limit + 1))).all()
    page = found[:limit]
    return SourceList(
        sources=[_reply(row) for row in page], cursor=page[-1].name if len(found) > limit else None
    )


@post(
    "/v1/collections/{name:str}/sources:compare",
    operation_id="compare_sources",
    opt=needs("search", "answer", "write"),
    responses=problems(404, 413, 422),
    status_code=200,
    tags=["sources"],
)
async def compare(
    name: CollectionName, data: JSONBody[CompareRequest], service: NamedDependency[Service]
) -> CompareReply:
    """Says which of these files have to be sent, by the hashes of their contents. Changes nothing."""
    entry = await service.library.get(name)
    async with service.database.read() as session:
        known = await known_sources(session, entry.id, [clean(one.name) for one in data.sources])
    reply = CompareReply(changed=[], failed=[], unchanged=0)
    for one in data.sources:
        row = known.get(clean(one.name))
        if row is not None and is_current(row, one.hash):
            reply.unchanged += 1
            if row.state == "partial":
                reply.partial.append(_told(row))
        elif row is not None and is_known_failure(row, one.hash):
            reply.failed.append(_told(row))
        else:
            reply.changed.append(one.name)
    return reply


@delete(
    "/v1/collections/{name:str}/sources/{source:path}",
    operation_id="delete_source",
    responses=problems(404, 409, 422),
    status_code=200,
    tags=["sources"],
)
async def remove(
    name: CollectionName,
    source: SourcePath,
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> DeleteReply:
    """Deletes a source with its documents. A missing one is not an error, so the request can be repeated."""
    _, slash, identity = request.scope["raw_path"].decode("latin-1").partition("/sources/")
    if not slash:  # the slashes of the address itself were encoded
        raise NotFoundException
    return await _delete(service, caller, name, [unquote(identity)])


@post(
    "/v1/collections/{name:str}/sources:delete",
    operation_id="delete_sources",
    responses=problems(404, 409, 413, 422),
    status_code=200,
    tags=["sources"],
)
async def remove_many(
    name: CollectionName,
    data: JSONBody[SourcesRequest],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> DeleteReply:
    """Deletes sources with their documents, all in one version. Missing ones are not an error."""
    return await _delete(service, caller, name, list(dict.fromkeys(data.names)))


@get("/v1/formats", operation_id="list_formats", responses=problems(), tags=["sources"])
async def formats(service: NamedDependency[Service]) -> FormatsReply:
    """The files that are read, by extension or name, and the limits of one file and of one upload."""
    return FormatsReply(
        extensions=sorted(EXTENSIONS),
        names=sorted(NAMES),
        max_bytes=DEFAULT_LIMITS.max_file_bytes,
        max_archive_bytes=DEFAULT_LIMITS.max_total_bytes,
        max_files=service.settings.max_upload_files,
        max_upload_bytes=service.settings.max_upload_mb << 20,
    )


async def _delete(service: Service, caller: Caller, name: str, names: list[str]) -> DeleteReply:
    entry = await service.library.get(name)
    deleted, version = await service.changes.delete_sources(
        entry, [clean(one) for one in names], caller=caller
    )
    return DeleteReply(deleted=deleted, version=version)


def _told(row: SourceRow) -> JobError:
    parts = (reason if name == row.name else f"{name} {reason}" for name, reason in reported(row))
    return JobError(name=row.name, reason="; ".join(parts))


def _reply(row: SourceRow) -> SourceReply:
    return SourceReply(
        name=row.name,
        state=row.state,  # type: ignore[arg-type]
        documents=row.documents,
        bytes=row.bytes,
        hash=row.hash,
        errors=[JobError(name=name, reason=reason) for name, reason in reported(row)],
        folder=row.folder,
        job=row.job_id,
        version=row.version,
        updated_at=iso_time(row.updated_at),
    )


SOURCES = [list_all, compare, remove, remove_many, formats]
