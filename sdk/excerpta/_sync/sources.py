# Written by sdk/tools/generate_sync.py from _async/sources.py; change that file instead.

"""Sources of a collection, and folders that are kept in step with them."""

from __future__ import annotations

from collections.abc import Iterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from .._files import FileToSend, Found, LazyFile, content_hash, find_files, find_folder
from .._folders import Placed, placed
from .._sleep import sleep
from .._threads import in_thread
from ..errors import ConnectionFailed, DeletesEverything, JobFailed, NotFound, Overloaded, TimedOut
from ..types import (
    CompareReply,
    CompareRequest,
    DeleteReply,
    FormatsReply,
    JobError,
    JobReply,
    SourceFile,
    SourceList,
    SourceReply,
    SourcesRequest,
    SyncReport,
)
from .http import Http
from .jobs import Job

_COMPARED_AT_ONCE = 5_000
_LISTED_AT_ONCE = 10_000
_FILES_A_JOB = 1_000
_BYTES_A_JOB = 256 << 20
_LONGEST_PAUSE_S = 30.0
_NAMED = 3


class Sources:
    """The sources of one collection: files that documents were read from."""

    def __init__(self, http: Http, path: str) -> None:
        self._http = http
        self._path = path
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}

    def listed(self, *, prefix: str = "") -> list[SourceReply]:
        """Sources by name, all or those whose name begins with `prefix`."""
        found: list[SourceReply] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self._http.call(
                SourceList,
                "GET",
                f"{self._path}/sources",
                params={"prefix": prefix, "cursor": cursor, "limit": _LISTED_AT_ONCE},
                retry=True,
            )
            found += page.sources
            cursor = page.cursor
        return found

    def delete(self, name: str) -> DeleteReply:
        """Deletes a source with its documents. A missing one is not an error."""
        address = f"{self._path}/sources/{quote(name, safe='')}"
        return self._http.call(DeleteReply, "DELETE", address, retry=True)

    def find(self, paths: Sequence[str | Path]) -> Found:
        """The files that an upload of these paths would have."""
        return in_thread(find_files, paths, self._formats())

    def send(
        self,
        files: Sequence[FileToSend],
        *,
        folder: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Sends files as one job. `folder` is the name of the one that their names are paths below."""
        parts = [("files", (one.name, LazyFile(one), "application/octet-stream")) for one in files]
        reply = self._http.call(
            JobReply,
            "POST",
            f"{self._path}/files",
            params={"folder": folder} if folder else None,
            files=parts,
            headers={"Idempotency-Key": idempotency_key or uuid4().hex},
        )
        return Job(self._http, reply)

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
        """Makes the sources of a folder agree with its files; see `Collection.sync`."""
        folder = Path(folder)
        own = folder.resolve().name
        formats = self._formats()
        if force and not folder.exists():
            found = Found()
        else:
            found = in_thread(find_folder, folder, "", formats)
        place = self._place(own, prefix, found, dry_run=dry_run)
        found = found.below(place.prefix)
        report = SyncReport(folder=str(folder), prefix=place.prefix, skipped=found.skipped, dry_run=dry_run)
        changed = self._compare(found.files, report, place.others)
        gone = _gone(found, place.own) if delete else []
        if gone and not found.files and not force:
            raise DeletesEverything(str(folder), len(gone))
        report.sent, report.removed = [one.name for one in changed], gone
        if dry_run:
            return report
        indexed = False
        for files in _uploads(changed, formats):
            label = own if own and not place.prefix else None
            indexed |= self._send(files, report, folder=label, progress=progress)
        for start in range(0, len(gone), _COMPARED_AT_ONCE):
            self._http.call(
                DeleteReply,
                "POST",
                f"{self._path}/sources:delete",
                body=SourcesRequest(names=gone[start : start + _COMPARED_AT_ONCE]),
                retry=True,
            )
        if report.failed or report.partial:
            report.state = "partial"
        if not (indexed or report.unchanged or gone or force):
            report.state, report.error = "failed", _nothing(report)
        return report

    def _send(
        self, files: Sequence[FileToSend], report: SyncReport, *, folder: str | None, progress: bool
    ) -> bool:
        """Sends files as a job, waits for it and reports it; whether there was something to index."""
        job = self.send(files, folder=folder)
        try:
            job.wait(progress=progress)
        except JobFailed:
            if job.state.counts.done < len(files):  # it did not come to the end
                raise
        report.passages += job.state.passages
        for one in job.state.sources:
            if one.remarks:
                kinds = {"failed": report.failed, "read": report.guessed}
                kinds.get(one.state, report.partial).append(JobError(name=one.name, reason=one.told))
        return job.state.state != "failed"

    def watch(
        self,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        force: bool = False,
        interval_s: float = 1.0,
    ) -> Iterator[SyncReport]:
        """Synchronises a folder whenever it has changed and then stayed the same for `interval_s`."""
        formats = self._formats()
        seen: object = None
        pause = interval_s
        while True:
            now = in_thread(_stamps, folder, formats)
            while seen is not None and now != seen:
                sleep(interval_s)
                before, now = now, in_thread(_stamps, folder, formats)
                if now == before:
                    break
            if now != seen:
                try:
                    yield self.sync(folder, prefix=prefix, delete=delete, force=force)
                    seen, pause = now, interval_s
                except (DeletesEverything, FileNotFoundError, NotADirectoryError) as error:
                    yield SyncReport(folder=str(folder), prefix=prefix or "", error=str(error))
                    seen = now
                except (ConnectionFailed, TimedOut, Overloaded) as error:
                    yield SyncReport(folder=str(folder), prefix=prefix or "", error=str(error))
                    pause = min(_LONGEST_PAUSE_S, 2 * pause)
            sleep(pause)

    def _formats(self) -> FormatsReply:
        return self._http.call(FormatsReply, "GET", "/v1/formats", retry=True)

    def _compare(
        self, files: Sequence[FileToSend], report: SyncReport, again: frozenset[str]
    ) -> list[FileToSend]:
        """The files that the collection does not have as they are, and those to send `again`.

        The others are counted.
        """
        changed = set(again)
        compared = [one for one in files if one.name not in again]
        for start in range(0, len(compared), _COMPARED_AT_ONCE):
            some = compared[start : start + _COMPARED_AT_ONCE]
            sources = in_thread(self._described, some)
            try:
                reply = self._http.call(
                    CompareReply,
                    "POST",
                    f"{self._path}/sources:compare",
                    body=CompareRequest(sources=sources),
                    retry=True,
                )
            except NotFound:
                if not report.dry_run:
                    raise
                reply = CompareReply(changed=[one.name for one in some], failed=[], unchanged=0)
            changed.update(reply.changed)
            report.failed += reply.failed
            report.partial += reply.partial
            report.unchanged += reply.unchanged
        return [one for one in files if one.name in changed]

    def _described(self, files: Sequence[FileToSend]) -> list[SourceFile]:
        return [SourceFile(name=one.name, bytes=one.bytes, hash=self._hash(one)) for one in files]

    def _hash(self, file: FileToSend) -> str:
        """The hash of its content, read again only where its time or its size is another."""
        known = self._hashes.get(file.path)
        if known is None or known[0] != file.stamp:
            known = self._hashes[file.path] = file.stamp, content_hash(file.path)
        return known[1]

    def _place(self, folder: str, prefix: str | None, found: Found, *, dry_run: bool) -> Placed:
        """How names of the folder's files begin, and the sources that are there for it."""
        below = f"{prefix.strip('/')}/" if prefix and prefix.strip("/") else ""
        try:
            listed = self.listed(prefix=below)
        except NotFound:
            if not dry_run:
                raise
            listed = []
        if prefix is not None or not folder:
            return Placed(below.rstrip("/"), listed)
        return placed(listed, folder, [one.name for one in found.files])


def _gone(found: Found, own: Sequence[SourceReply]) -> list[str]:
    """The folder's sources whose files are not there. What was left out counts as there."""
    there = {one.name for one in found.files} | {one.name for one in found.skipped}
    folders = tuple(one.name for one in found.skipped if one.name.endswith("/") or not one.name)
    return [one.name for one in own if one.name not in there and not one.name.startswith(folders)]


def _nothing(report: SyncReport) -> str:
    read = [f"{one.name} {one.reason}" for one in (*report.failed, *report.guessed)]
    reasons = [*read, *(f"{one.name} {one.reason}" for one in report.skipped)]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    told = "; ".join(reasons[:_NAMED])
    return (
        f"nothing in {report.folder} was indexed: {told}{more}" if told else f"{report.folder} has no files"
    )


def _uploads(files: Sequence[FileToSend], formats: FormatsReply) -> Iterator[list[FileToSend]]:
    """The files in uploads that the server takes."""
    most_files = min(_FILES_A_JOB, formats.max_files)
    most_bytes = min(_BYTES_A_JOB, formats.max_upload_bytes)
    held: list[FileToSend] = []
    size = 0
    for one in files:
        if held and (len(held) == most_files or size + one.bytes > most_bytes):
            yield held
            held, size = [], 0
        held.append(one)
        size += one.bytes
    if held:
        yield held


def _stamps(folder: str | Path, formats: FormatsReply) -> object:
    """Changes when a file of the folder does: names, times and sizes; "" where there is no folder."""
    try:
        found = find_folder(Path(folder), "", formats)
    except OSError:
        return ""
    return [(one.name, one.stamp) for one in found.files]
