"""Routes of uploads: any number of documents as a job. The upload is on disk before the reply is sent."""

from dataclasses import dataclass
from typing import Annotated, Any

from excerpta.types import JobReply
from litestar import Request, Response, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromQuery, MultipartBody
from msgspec import Meta

from api.access.keys import caller_of
from api.collections.library import Entry
from api.collections.storable import clean
from api.db.replies import job_reply
from api.errors import InvalidRequest, InvalidUpload, UploadTooLarge
from api.http.contract import problems
from api.http.ids import new_id
from api.jobs.queue import Kind, Upload
from api.jobs.uploads import SpoolWriter
from api.routes.collections import CollectionName
from api.service import Service
from retrieval.corpus.names import safe_name
from retrieval.errors import UnreadableDocument

_CHUNK = 1 << 20
_LONGEST_FOLDER = 255
Folder = FromQuery[
    Annotated[
        str | None,
        Meta(max_length=_LONGEST_FOLDER, description="The folder that the files' names are paths below."),
    ]
]
_MANY_DOCUMENTS = (".zip", ".csv", ".tsv", ".jsonl", ".ndjson")


@dataclass
class Files:
    """The form of an upload: one part a file, all of them called `files`."""

    files: list[UploadFile]


@post(
    "/v1/collections/{name:str}/files",
    operation_id="upload_files",
    responses=problems(404, 409, 413, 422),
    status_code=202,
    tags=["jobs"],
)
async def upload_files(
    name: CollectionName,
    data: MultipartBody[Files],
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    folder: Folder = None,
) -> Response[JobReply]:
    """Indexes files: txt, Markdown, HTML, PDF, DOCX, CSV, JSONL, and zip of those. Answers with a job.

    A document's id is its file's name. A file that cannot be read is named in the job; the rest goes on.
    An `Idempotency-Key` header makes the request safe to repeat.
    """
    entry = await service.library.get(name)
    names = [_file_name(one) for one in data.files]
    if len(names) > service.settings.max_upload_files:
        raise UploadTooLarge(
            f"it has {len(names)} files; at most {service.settings.max_upload_files} are taken"
        )
    with service.spool.writer() as upload:
        for file_name, file in zip(names, data.files, strict=True):
            with upload.open(file_name) as part:
                while chunk := await file.read(_CHUNK):
                    await service.library.run(part.write, chunk)
        single = not any(one.lower().endswith(_MANY_DOCUMENTS) for one in names)
        total = len(names) if single else None
        of = _folder(folder)
        return await _queue(service, request, entry, "files", upload, total, files=len(set(names)), folder=of)


@post(
    "/v1/collections/{name:str}/documents:batch",
    operation_id="upload_documents",
    responses=problems(404, 409, 413, 422),
    status_code=202,
    tags=["jobs"],
)
async def upload_documents(
    name: CollectionName, request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[JobReply]:
    """Indexes documents sent as NDJSON, one object a line: id, text, title, metadata. Answers with a job.

    A line that cannot be read is named in the job; the rest goes on. Of lines with one id the last counts.
    An `Idempotency-Key` header makes the request safe to repeat.
    """
    entry = await service.library.get(name)
    lines = 0
    with service.spool.writer() as upload:
        with upload.open("documents.ndjson") as part:
            last = b""
            async for chunk in request.stream():
                lines += chunk.count(b"\n")
                last = chunk or last
                await service.library.run(part.write, chunk)
        lines += bool(last) and not last.endswith(b"\n")
        if not lines:
            raise InvalidUpload("the body is empty; send one JSON object a line")
        return await _queue(service, request, entry, "documents", upload, lines)


async def _queue(
    service: Service,
    request: Request[Any, Any, Any],
    entry: Entry,
    kind: Kind,
    upload: SpoolWriter,
    total: int | None,
    *,
    files: int | None = None,
    folder: str | None = None,
) -> Response[JobReply]:
    """Stores the upload, then creates its job. A repeated upload answers with its first job."""
    key = _idempotency_key(request)
    once = Upload(key, upload.digest) if key else None
    wanted = new_id("job")
    await service.library.run(upload.keep, wanted)
    try:
        job, new = await service.queue.put(
            wanted,
            entry.id,
            kind,
            total=total,
            files=files,
            folder=folder,
            size=upload.size,
            upload=once,
            caller=caller_of(request),
        )
    except BaseException:
        service.spool.drop(wanted)
        raise
    if not new:
        service.spool.drop(wanted)
    await service.bell.ring("jobs")
    reply = await job_reply(service.database, job)
    return Response(reply, status_code=202, headers={"Location": f"/v1/jobs/{job}"})


def _idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= 200 and key.isprintable()):
        raise InvalidRequest("Idempotency-Key", "it has 1 to 200 printable characters")
    return key


def _folder(name: str | None) -> str | None:
    if name is not None and not (1 <= len(name) <= _LONGEST_FOLDER and name.isprintable()):
        raise InvalidRequest("folder", f"it has 1 to {_LONGEST_FOLDER} printable characters")
    return None if name is None else clean(name)


def _file_name(file: UploadFile) -> str:
    try:
        return safe_name(clean(file.filename or ""))
    except UnreadableDocument as error:
        raise InvalidUpload(error.reason, name=error.name) from error


UPLOADS = [upload_files, upload_documents]
