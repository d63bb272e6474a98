"""Routes of documents, up to 100 a request. A change is visible when the reply arrives."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import unquote

from excerpta.types import (
    DeleteReply,
    DeleteRequest,
    DocumentReply,
    DocumentsReply,
    DocumentsRequest,
)
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api.access.caller import Caller
from api.collections.storable import storable
from api.db import DocumentRow
from api.db.documents import document_of
from api.db.replies import iso_time
from api.errors import DuplicateDocument, UnknownDocument
from api.http.contract import problems
from api.routes.collections import CollectionName
from api.service import Service
from retrieval import Document

DocumentPath = FromPath[
    Annotated[str, Meta(description="The document's id, URL-encoded; it may hold slashes.")]
]


@post(
    "/v1/collections/{name:str}/documents",
    operation_id="add_documents",
    responses=problems(404, 409, 413, 422),
    status_code=200,
    tags=["documents"],
)
async def add(
    name: CollectionName,
    data: JSONBody[DocumentsRequest],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> DocumentsReply:
    """Adds up to 100 documents, all or none. A document whose id exists is replaced."""
    twice = [identity for identity, times in Counter(one.id for one in data.documents).items() if times > 1]
    if twice:
        raise DuplicateDocument(twice)
    documents = [storable(Document(one.id, one.text, one.title, one.metadata)) for one in data.documents]
    entry = await service.library.get(name)
    commit = await service.changes.add(entry, documents, caller=caller)
    return DocumentsReply(
        added=commit.added, replaced=commit.replaced, passages=commit.passages, version=commit.version
    )


@get(
    "/v1/collections/{name:str}/documents/{document_id:path}",
    operation_id="get_document",
    responses=problems(404, 409, 422),
    tags=["documents"],
)
async def get_one(
    name: CollectionName,
    document_id: DocumentPath,
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
) -> DocumentReply:
    """One document, whole."""
    identity = _document_id(request)
    entry = await service.library.get(name)
    async with service.database.read() as session:
        row = await session.get(DocumentRow, (entry.id, identity))
    if row is None or row.deleted:
        raise UnknownDocument(name, identity)
    document = document_of(row)
    collection = await service.library.run(service.library.open, entry)
    with collection.snapshot() as snapshot:
        passages = await service.library.run(_passages, snapshot, identity)
    return DocumentReply(
        id=document.id,
        title=document.title,
        text=document.text,
        metadata=dict(document.metadata),
        passages=passages,
        created_at=iso_time(row.created_at),
    )


@delete(
    "/v1/collections/{name:str}/documents/{document_id:path}",
    operation_id="delete_document",
    responses=problems(404, 409, 422),
    status_code=200,
    tags=["documents"],
)
async def remove(
    name: CollectionName,
    document_id: DocumentPath,
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> DeleteReply:
    """Deletes one document. A missing document is not an error, so the request can be repeated."""
    return await _delete(service, caller, name, [_document_id(request)])


@post(
    "/v1/collections/{name:str}/documents:delete",
    operation_id="delete_documents",
    responses=problems(404, 409, 413, 422),
    status_code=200,
    tags=["documents"],
)
async def remove_many(
    name: CollectionName,
    data: JSONBody[DeleteRequest],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> DeleteReply:
    """Deletes documents by id. Missing ids are not an error."""
    return await _delete(service, caller, name, list(dict.fromkeys(data.ids)))


async def _delete(service: Service, caller: Caller, name: str, ids: list[str]) -> DeleteReply:
    entry = await service.library.get(name)
    deleted, version = await service.changes.delete(entry, ids, caller=caller)
    return DeleteReply(deleted=deleted, version=version)


def _document_id(request: Request[Any, Any, Any]) -> str:
    """The id as it was sent: the router's own path has lost doubled and outer slashes."""
    _, slash, identity = request.scope["raw_path"].decode("latin-1").partition("/documents/")
    if not slash:  # the slashes of the address itself were encoded
        raise NotFoundException
    return unquote(identity)


def _passages(snapshot: Any, identity: str) -> int:
    return int(snapshot.allowed({"document_id": {"$eq": identity}}).count)


DOCUMENTS = [add, get_one, remove, remove_many]
