"""Routes of collections: create, list, inspect, verify, rebuild, delete."""

from dataclasses import replace

from excerpta.types import (
    CollectionList,
    CollectionReply,
    CollectionSettings,
    DeleteReply,
    JobReply,
    Name,
    VerifyReply,
)
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.access.caller import Caller
from api.archive.verifying import damage
from api.collections.library import Entry
from api.db.replies import iso_time, job_reply
from api.errors import InvalidRequest
from api.http.contract import problems
from api.http.ids import new_id
from api.query import plan as plans
from api.service import Service
from base.errors import ExcerptaError
from retrieval import CollectionStats

_EMPTY = CollectionStats(documents=0, passages=0, segments=0, version=0, bytes=0, fields={})
CollectionName = FromPath[Name]


@put(
    "/v1/collections/{name:str}",
    operation_id="create_collection",
    responses=problems(409, 413, 422),
    status_code=201,
    tags=["collections"],
)
async def create(
    name: CollectionName, data: JSONBody[CollectionSettings], service: NamedDependency[Service]
) -> CollectionReply:
    """Makes an empty collection; one that is there already is a problem."""
    if data.overlap_tokens >= data.passage_tokens:
        raise InvalidRequest("overlap_tokens", f"it must be less than passage_tokens, {data.passage_tokens}")
    plans.check(data.plan)
    entry = await service.library.create(name, data)
    return _reply(entry, _EMPTY)


@get("/v1/collections", operation_id="list_collections", responses=problems(), tags=["collections"])
async def list_all(service: NamedDependency[Service]) -> CollectionList:
    """All collections, by name. One whose index cannot be opened has no passages here; ask for it alone."""
    entries = await service.library.all()
    return CollectionList(collections=[await _listed(service, entry) for entry in entries])


@get(
    "/v1/collections/{name:str}",
    operation_id="get_collection",
    responses=problems(404, 409, 422),
    tags=["collections"],
)
async def get_one(name: CollectionName, service: NamedDependency[Service]) -> CollectionReply:
    """One collection: size, version, settings, and the metadata fields its documents have."""
    return await _described(service, await service.library.get(name))


@delete(
    "/v1/collections/{name:str}",
    operation_id="delete_collection",
    responses=problems(404, 422),
    status_code=200,
    tags=["collections"],
)
async def remove(name: CollectionName, service: NamedDependency[Service]) -> DeleteReply:
    """Deletes a collection with its documents, its jobs and its index."""
    entry = await service.library.delete(name)
    await service.library.forget(entry)
    return DeleteReply(deleted=1, version=entry.version_base)


@post(
    "/v1/collections/{name:str}/verify",
    operation_id="verify_collection",
    responses=problems(404, 409, 422),
    status_code=200,
    tags=["collections"],
)
async def verify(name: CollectionName, service: NamedDependency[Service]) -> VerifyReply:
    """Checks every file of the index, every document's row, and that both agree; changes nothing."""
    entry = await service.library.get(name)
    return VerifyReply(corrupt=await damage(service.database, service.library, entry))


@post(
    "/v1/collections/{name:str}/rebuild",
    operation_id="rebuild_collection",
    responses=problems(404, 422),
    status_code=202,
    tags=["collections"],
)
async def rebuild(
    name: CollectionName, service: NamedDependency[Service], caller: NamedDependency[Caller]
) -> Response[JobReply]:
    """Builds the index again from the documents, as a job, beside the old one; queries go on meanwhile."""
    entry = await service.library.get(name)
    job, _ = await service.queue.put(new_id("job"), entry.id, "rebuild", caller=caller)
    await service.bell.ring("jobs")
    reply = await job_reply(service.database, job)
    return Response(reply, status_code=202, headers={"Location": f"/v1/jobs/{job}"})


async def _listed(service: Service, entry: Entry) -> CollectionReply:
    try:
        return await _described(service, entry)
    except ExcerptaError:
        return _reply(entry, replace(_EMPTY, documents=await service.indexer.count(entry)))


async def _described(service: Service, entry: Entry) -> CollectionReply:
    collection = await service.library.run(service.library.open, entry)
    return _reply(entry, await service.library.run(collection.stats))


def _reply(entry: Entry, stats: CollectionStats) -> CollectionReply:
    return CollectionReply(
        name=entry.name,
        documents=stats.documents,
        passages=stats.passages,
        segments=stats.segments,
        version=entry.version_base + stats.version,
        bytes=stats.bytes,
        created_at=iso_time(entry.created_at),
        settings=entry.settings,
        fields=stats.fields,
    )


COLLECTIONS = [create, list_all, get_one, remove, verify, rebuild]
