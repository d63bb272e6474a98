"""Jobs: how far they are, and what became of each file."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from excerpta.types.base import Reply


class JobError(Reply):
    """One file or document that could not be read, by name, or what there is to say about one that was."""

    name: str
    reason: str


class JobSource(Reply):
    """A source that a job has finished: how it was read, and the documents that it has.

    `remarks` say what was left out of it (`partial`), why it could not be read (`failed`), or what was
    guessed, as its encoding. An `unchanged` one has those of its earlier reading if that was in part.
    """

    name: str
    state: Literal["read", "partial", "failed", "unchanged"]
    documents: int
    remarks: list[JobError] = []

    @property
    def told(self) -> str:
        """The remarks in one line."""
        return "; ".join(
            one.reason if one.name == self.name else f"{one.name} {one.reason}" for one in self.remarks
        )


class FileCounts(Reply):
    """How many files of an upload were read, read in part, not read at all, or found unchanged."""

    read: int = 0
    partial: int = 0
    failed: int = 0
    unchanged: int = 0

    @property
    def done(self) -> int:
        """The files that the job is done with."""
        return self.read + self.partial + self.failed + self.unchanged


class JobPlace(Reply):
    """Where in a file a job is: `done` of `total` pages or characters are read."""

    file: str
    unit: Literal["page", "character"]
    done: int
    total: int


class JobProgress(Reply):
    """How far a job is: `fraction` of the work from 0 to 1, which moves within a file as well.

    `files` of `files_total` are done, and about `bytes` of `bytes_total`; the totals are None where the job
    has no files. `place` is where in a file it was last.
    """

    fraction: float = 0.0
    files: int = 0
    files_total: int | None = None
    bytes: int = 0
    bytes_total: int | None = None
    place: JobPlace | None = None


class JobReply(Reply):
    """`done` of `total` documents are committed and searchable; `total` is None until it is known.

    A job is `partial` if a file or document was left out or read in part, and `failed` if nothing was
    indexed and nothing was unchanged; `error` says why. `errors` are the first thousand parts that could not
    be read, `sources` the first thousand files, those with remarks first where there are more; `counts`
    counts all of them.
    """

    id: str
    collection: str
    kind: str
    state: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
    done: int
    total: int | None
    passages: int
    errors: list[JobError]
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    sources: list[JobSource] = []
    counts: FileCounts = field(default_factory=FileCounts)
    progress: JobProgress = field(default_factory=JobProgress)

    @property
    def finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.state in ("succeeded", "partial", "failed", "cancelled")

    @property
    def left_out(self) -> list[JobError]:
        """What was not read, each file or part of one with the reason."""
        parts = [part for one in self.sources if _has_gaps(one) for part in one.remarks]
        return list({(part.name, part.reason): part for part in [*parts, *self.errors]}.values())

    @property
    def guessed(self) -> list[JobError]:
        """What there is to say about files that were read whole, such as an encoding that was guessed."""
        return [part for one in self.sources if not _has_gaps(one) for part in one.remarks]


def _has_gaps(source: JobSource) -> bool:
    return source.state != "read" and bool(source.remarks)


class JobList(Reply):
    """Jobs, newest first."""

    jobs: list[JobReply]
