# Written by sdk/tools/generate_sync.py from _async/collections.py; change that file instead.

"""Collections: put documents in, ask them."""

from __future__ import annotations

from collections.abc import Iterator, Iterable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Unpack
from urllib.parse import quote
from uuid import uuid4

import msgspec
from msgspec import UNSET

from ..errors import Conflict, NothingToSend
from ..types import (
    CollectionList,
    CollectionReply,
    CollectionSettings,
    DeleteReply,
    DocumentIn,
    DocumentReply,
    DocumentsReply,
    DocumentsRequest,
    FacetOptions,
    Filter,
    JobReply,
    PlanOptions,
    QueryReply,
    QueryRequest,
    SearchBatchReply,
    SearchBatchRequest,
    SearchResult,
    SourceReply,
    SyncReport,
)
from ..types.listing import ListOptions
from .answers import AnswerStream
from .http import Http
from .jobs import Job
from .sources import Sources

_DOCUMENTS_A_CALL = 100
_QUESTIONS_A_CALL = 100


class Collection:
    """One collection on the server. This object holds only its name."""

    def __init__(self, http: Http, name: str) -> None:
        self._http = http
        self._path = f"/v1/collections/{quote(name, safe='')}"
        self._sources = Sources(http, self._path)
        self.name = name

    def info(self) -> CollectionReply:
        """Its size, version, settings and metadata fields."""
        return self._http.call(CollectionReply, "GET", self._path, retry=True)

    def add(self, documents: Iterable[DocumentIn | dict[str, Any]]) -> DocumentsReply:
        """Adds documents now, 100 per request. A document whose id exists is replaced.

        Documents are searchable when it returns. For thousands, `ingest` and `ingest_documents` run as a job.
        """
        total = DocumentsReply(added=0, replaced=0, passages=0, version=0)
        remaining = (_document(one) for one in documents)
        while batch := list(islice(remaining, _DOCUMENTS_A_CALL)):
            reply = self._http.call(
                DocumentsReply,
                "POST",
                f"{self._path}/documents",
                body=DocumentsRequest(documents=batch),
                retry=True,
            )
            total.added += reply.added
            total.replaced += reply.replaced
            total.passages += reply.passages
            total.version = reply.version
        return total

    def ingest(
        self, paths: Iterable[str | Path] | str | Path, *, idempotency_key: str | None = None
    ) -> Job:
        """Sends files and folders as one job: every kind of file that the server reads.

        A file takes the place of the one indexed before under its name: its path below the folder that was
        named, or below the folder that all of several paths are in. `job.skipped` are the files that were
        not sent, with the reasons. Raises NothingToSend, a FileNotFoundError, where no file is left.
        """
        named = [paths] if isinstance(paths, (str, Path)) else list(paths)
        found = self._sources.find(named)
        if not found.files:
            raise NothingToSend([str(one) for one in named], found.skipped)
        folder = Path(named[0]) if len(named) == 1 else None
        label = folder.resolve().name if folder is not None and folder.is_dir() else None
        job = self._sources.send(found.files, folder=label, idempotency_key=idempotency_key)
        job.skipped = found.skipped
        return job

    def sync(
        self,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        dry_run: bool = False,
        force: bool = False,
        progress: bool = False,
    ) -> SyncReport:
        """Makes the collection's sources of a folder agree with its files, and waits until that is done.

        Only files whose content has changed are sent; sources whose files are gone are deleted, unless
        `delete` is off. Names are paths below the folder, as with `ingest`, and its sources are those that
        were indexed from a folder of its name. They begin with that name, `notes/a.md`, where the collection
        has them so from before, or where another folder has files of the same names.

        A `prefix` begins names itself, and all sources below it count as the folder's; with an empty one
        every source of the collection does. Raises DeletesEverything for a folder without files, unless
        `force` is given; FileNotFoundError for one that is not there.
        """
        return self._sources.sync(
            folder, prefix=prefix, delete=delete, dry_run=dry_run, force=force, progress=progress
        )

    def watch(
        self,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        force: bool = False,
        interval_s: float = 1.0,
    ) -> Iterator[SyncReport]:
        """Synchronises a folder at once, and again whenever it has changed; never ends by itself.

        It looks every `interval_s`, and waits until a change is followed by that much quiet. Where the
        server cannot be reached, the report has an `error`, and it tries again.
        """
        return self._sources.watch(folder, prefix=prefix, delete=delete, force=force, interval_s=interval_s)

    def sources(self, *, prefix: str = "") -> list[SourceReply]:
        """The files that documents were read from, by name."""
        return self._sources.listed(prefix=prefix)

    def delete_source(self, name: str) -> DeleteReply:
        """Deletes a source with its documents. A missing one is not an error."""
        return self._sources.delete(name)

    def ingest_documents(
        self, documents: Iterable[DocumentIn | dict[str, Any]], *, idempotency_key: str | None = None
    ) -> Job:
        """Sends any number of documents as one job (NDJSON)."""
        body = b"".join(msgspec.json.encode(_document(one)) + b"\n" for one in documents)
        reply = self._http.call(
            JobReply,
            "POST",
            f"{self._path}/documents:batch",
            content=body,
            retry=True,
            headers={
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": idempotency_key or uuid4().hex,
            },
        )
        return Job(self._http, reply)

    def get(self, document_id: str) -> DocumentReply:
        """One document, whole; NotFound when there is none."""
        return self._http.call(DocumentReply, "GET", self._document_path(document_id), retry=True)

    def delete(self, document_ids: str | Iterable[str]) -> DeleteReply:
        """Deletes documents by id. Missing ids are not an error."""
        if isinstance(document_ids, str):
            return self._http.call(DeleteReply, "DELETE", self._document_path(document_ids), retry=True)
        return self._http.call(
            DeleteReply,
            "POST",
            f"{self._path}/documents:delete",
            body={"ids": list(document_ids)},
            retry=True,
        )

    def ask(
        self,
        query: str,
        *,
        filter: Filter | None = None,  # noqa: A002
        limit: int = 10,
        plan: str | PlanOptions | dict[str, Any] | None = None,
        explain: bool | Literal["matrix"] = False,
        timeout_ms: int | None = None,
        **listing: Unpack[ListOptions],
    ) -> QueryReply:
        """Finds passages and answers from them, with citations.

        `listing`: `min_score`, `group_by`, `facets` and `highlight`; with `"answer": None` also `offset`.
        """
        request = self._query(query, filter, limit, plan, explain, timeout_ms, listing)
        return self._http.call(QueryReply, "POST", "/v1/query", body=request, retry=True)

    def search(
        self,
        query: str,
        *,
        filter: Filter | None = None,  # noqa: A002
        limit: int = 10,
        plan: str | PlanOptions | dict[str, Any] | None = None,
        explain: bool | Literal["matrix"] = False,
        timeout_ms: int | None = None,
        **listing: Unpack[ListOptions],
    ) -> QueryReply:
        """Finds passages only: retrieves and fuses, answers nothing.

        `listing`: `offset`, `min_score`, `group_by`, `facets` and `highlight`.
        """
        request = self._query(query, filter, limit, plan, explain, timeout_ms, listing)
        return self._http.call(QueryReply, "POST", "/v1/search", body=request, retry=True)

    def search_batch(
        self,
        queries: Iterable[str],
        *,
        filter: Filter | None = None,  # noqa: A002
        limit: int = 10,
        plan: str | PlanOptions | dict[str, Any] | None = None,
        explain: bool | Literal["matrix"] = False,
        timeout_ms: int | None = None,
        **listing: Unpack[ListOptions],
    ) -> list[SearchResult]:
        """Finds passages for many questions, 100 per request; a result for each, in their order.

        A result has the `reply` that `search` would give, or the `error` of its question. Questions are
        encoded together, which costs less than one by one. `timeout_ms` is each question's.
        """
        options = self._query("", filter, limit, plan, explain, timeout_ms, listing)
        fields = SearchBatchRequest.__struct_fields__
        shared = {name: getattr(options, name) for name in fields if name != "queries"}
        results: list[SearchResult] = []
        remaining = iter(queries)
        while batch := list(islice(remaining, _QUESTIONS_A_CALL)):
            request = SearchBatchRequest(queries=batch, **shared)
            reply = self._http.call(
                SearchBatchReply, "POST", "/v1/search:batch", body=request, retry=True
            )
            results += reply.results
        return results

    @contextmanager
    def stream(
        self,
        query: str,
        *,
        filter: Filter | None = None,  # noqa: A002
        limit: int = 10,
        plan: str | PlanOptions | dict[str, Any] | None = None,
        explain: bool | Literal["matrix"] = False,
        timeout_ms: int | None = None,
        **listing: Unpack[ListOptions],
    ) -> Iterator[AnswerStream]:
        """The answer as a stream, with the options of `ask`. Leaving the block cancels it on the server."""
        request = self._query(query, filter, limit, plan, explain, timeout_ms, listing, stream=True)
        with self._http.events("POST", "/v1/query", body=request) as events:
            yield AnswerStream(events)

    def verify(self) -> list[str]:
        """Checks every checksum on disk; returns the problems. Changes nothing."""
        reply = self._http.call(dict[str, Any], "POST", f"{self._path}/verify")
        return [str(one) for one in reply["corrupt"]]

    def rebuild(self) -> Job:
        """Builds the index again from the documents, beside the old one, as a job."""
        return Job(self._http, self._http.call(JobReply, "POST", f"{self._path}/rebuild"))

    def _document_path(self, document_id: str) -> str:
        return f"{self._path}/documents/{quote(document_id, safe='')}"

    def _query(
        self,
        query: str,
        filter: Filter | None,  # noqa: A002
        limit: int,
        plan: str | PlanOptions | dict[str, Any] | None,
        explain: bool | Literal["matrix"],
        timeout_ms: int | None,
        listing: ListOptions,
        *,
        stream: bool = False,
    ) -> QueryRequest:
        return QueryRequest(
            collection=self.name,
            query=query,
            filter=filter,
            limit=limit,
            plan=msgspec.convert(msgspec.to_builtins(plan), PlanOptions) if isinstance(plan, dict) else plan,
            explain=explain,
            stream=stream,
            timeout_ms=timeout_ms,
            offset=listing.get("offset", 0),
            min_score=listing.get("min_score"),
            group_by=listing.get("group_by", UNSET),
            facets=msgspec.convert(msgspec.to_builtins(listing.get("facets", [])), list[str | FacetOptions]),
            highlight=listing.get("highlight", False),
        )


class Collections:
    """The server's collections."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, name: str) -> Collection:
        """A collection by name. This sends no request."""
        return Collection(self._http, name)

    def create(
        self, name: str, *, exist_ok: bool = False, settings: CollectionSettings | None = None
    ) -> Collection:
        """Creates a collection. Raises Conflict if it exists, unless `exist_ok` and no settings are given."""
        collection = self.get(name)
        try:
            self._http.call(
                CollectionReply,
                "PUT",
                collection._path,
                body=settings or CollectionSettings(),
                retry=exist_ok,
            )
        except Conflict as error:
            if not (exist_ok and error.type == "collection-exists" and settings is None):
                raise
        return collection

    def sync(
        self,
        name: str,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        dry_run: bool = False,
        force: bool = False,
        progress: bool = False,
    ) -> SyncReport:
        """`Collection.sync` of the collection of this name, which is made if it is not there."""
        collection = self.get(name) if dry_run else self.create(name, exist_ok=True)
        return collection.sync(
            folder, prefix=prefix, delete=delete, dry_run=dry_run, force=force, progress=progress
        )

    def list(self) -> list[CollectionReply]:
        """All collections, by name."""
        return (self._http.call(CollectionList, "GET", "/v1/collections", retry=True)).collections

    def delete(self, name: str) -> DeleteReply:
        """Deletes a collection with everything in it."""
        return self._http.call(DeleteReply, "DELETE", self.get(name)._path)


def _document(one: DocumentIn | dict[str, Any]) -> DocumentIn:
    return one if isinstance(one, DocumentIn) else msgspec.convert(one, DocumentIn)
