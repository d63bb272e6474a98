"""Sources: the files that documents were read from."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from excerpta.types.base import Reply, Request
from excerpta.types.jobs import JobError

SourceName = Annotated[str, Meta(min_length=1, max_length=500, description="Its name in the collection.")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content, in hexadecimal.")]


class SourceReply(Reply):
    """A file that documents were read from.

    `state` says whether it was read to its end: not yet (`reading`), wholly (`read`), without the parts that
    `errors` names (`partial`, the first 20), or not at all (`failed`: its earlier documents stay). `hash` is
    empty where documents of it were changed by hand since. `folder` is the one that its name is a path below,
    if that is known.
    """

    name: str
    state: Literal["reading", "read", "partial", "failed"]
    documents: int
    bytes: int
    hash: str
    errors: list[JobError]
    job: str
    version: int
    updated_at: str
    folder: str | None = None


class SourceList(Reply):
    """Sources by name. `cursor` is the one to ask for the next page with; None at the end."""

    sources: list[SourceReply]
    cursor: str | None


class SourceFile(Request):
    """A file as it is now: its name in the collection, its size and the SHA-256 of its content."""

    name: SourceName
    bytes: Annotated[int, Meta(ge=0)]
    hash: Sha256


class CompareRequest(Request):
    """Up to 10,000 files to compare with the collection's sources."""

    sources: Annotated[list[SourceFile], Meta(max_length=10_000)]


class CompareReply(Reply):
    """How files differ from the collection's sources, each by name in the order of the request.

    `changed` are new or have another content: send them. `failed` have the content that could not be read
    before, with the reasons. The others are `unchanged`, so many; `partial` are those of them that were read
    in part, with what was left out.
    """

    changed: list[str]
    failed: list[JobError]
    unchanged: int
    partial: list[JobError] = []


class SourcesRequest(Request):
    """Sources to delete with their documents, by name."""

    names: Annotated[list[SourceName], Meta(min_length=1, max_length=10_000)]


class FormatsReply(Reply):
    """The files that the server reads: their extensions, and the most bytes that one may have.

    `names` are those of files without an extension that it reads, in lower case, such as `dockerfile`.
    `max_archive_bytes` is for zip archives; `max_files` and `max_upload_bytes` limit one upload.
    """

    extensions: list[str]
    max_bytes: int
    max_archive_bytes: int
    max_files: int
    max_upload_bytes: int
    names: list[str] = []


class SkippedFile(Reply):
    """A file that was not sent; a folder with all that is in it where the name ends in a slash."""

    name: str
    reason: str


class SyncReport(Reply):
    """The result of comparing a folder with a collection, and of sending the difference.

    `sent` are files that were new or changed, `removed` sources whose files are gone, `failed` files that
    could not be read: their earlier documents stay. `partial` were read in part, `guessed` by a guess, as of
    their encoding. `skipped` were not sent. With `dry_run` nothing was sent or removed.

    `state` is `partial` where files failed or were read in part, and `failed` where nothing was indexed,
    unchanged or removed. `error` says why, or why a watched folder could not be synchronised.
    """

    folder: str
    prefix: str
    sent: list[str] = []
    removed: list[str] = []
    unchanged: int = 0
    failed: list[JobError] = []
    partial: list[JobError] = []
    guessed: list[JobError] = []
    skipped: list[SkippedFile] = []
    passages: int = 0
    dry_run: bool = False
    state: Literal["succeeded", "partial", "failed"] = "succeeded"
    error: str | None = None
