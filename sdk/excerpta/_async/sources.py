"""Sources of a collection, and folders that are kept in step with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from .._files import FileToSend, Found, LazyFile, content_hash, find_files, find_folder
from .._sleep import async_sleep
from .._threads import async_in_thread
from ..errors import ConnectionFailed, DeletesEverything, NotFound, Overloaded, TimedOut
from ..types import (
    CompareReply,
    CompareRequest,
    DeleteReply,
    FormatsReply,
    JobReply,
    SourceFile,
    SourceList,
    SourceReply,
    SourcesRequest,
    SyncReport,
)
from .http import AsyncHttp
from .jobs import AsyncJob

_COMPARED_AT_ONCE = 5_000
_FILES_A_JOB = 1_000
_BYTES_A_JOB = 256 << 20
_LONGEST_PAUSE_S = 30.0


class AsyncSources:
    """The sources of one collection: files that documents were read from."""

    def __init__(self, http: AsyncHttp, path: str) -> None:
        self._http = http
        self._path = path
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}

    async def listed(self, *, prefix: str = "") -> list[SourceReply]:
        """Sources by name, all or those whose name begins with `prefix`."""
        found: list[SourceReply] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self._http.call(
                SourceList,
                "GET",
                f"{self._path}/sources",
                params={"prefix": prefix, "cursor": cursor},
                retry=True,
            )
            found += page.sources
            cursor = page.cursor
        return found

    async def delete(self, name: str) -> DeleteReply:
        """Deletes a source with its documents. A missing one is not an error."""
        address = f"{self._path}/sources/{quote(name, safe='')}"
        return await self._http.call(DeleteReply, "DELETE", address, retry=True)

    async def find(self, paths: Sequence[str | Path]) -> Found:
        """The files that an upload of these paths would have."""
        return await async_in_thread(find_files, paths, await self._formats())

    async def send(self, files: Sequence[FileToSend], *, idempotency_key: str | None = None) -> AsyncJob:
        """Sends files as one job."""
        parts = [("files", (one.name, LazyFile(one), "application/octet-stream")) for one in files]
        reply = await self._http.call(
            JobReply,
            "POST",
            f"{self._path}/files",
            files=parts,
            headers={"Idempotency-Key": idempotency_key or uuid4().hex},
        )
        return AsyncJob(self._http, reply)

    async def sync(
        self,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        dry_run: bool = False,
        force: bool = False,
        progress: bool = False,
    ) -> SyncReport:
        """Makes the sources below `prefix` those of a folder; see `Collection.sync`."""
        folder = Path(folder)
        prefix = folder.resolve().name if prefix is None else prefix.strip("/")
        formats = await self._formats()
        if force and not folder.exists():
            found = Found()
        else:
            found = await async_in_thread(find_folder, folder, prefix, formats)
        report = SyncReport(folder=str(folder), prefix=prefix, skipped=found.skipped, dry_run=dry_run)
        changed = await self._compare(found.files, report)
        gone = await self._gone(found, prefix, report) if delete else []
        if gone and not found.files and not force:
            raise DeletesEverything(str(folder), len(gone))
        report.sent, report.removed = [one.name for one in changed], gone
        if dry_run:
            return report
        for files in _uploads(changed, formats):
            state = await (await self.send(files)).wait(progress=progress)
            report.passages += state.passages
            report.failed += [error for error in state.errors if error not in report.failed]
        for start in range(0, len(gone), _COMPARED_AT_ONCE):
            await self._http.call(
                DeleteReply,
                "POST",
                f"{self._path}/sources:delete",
                body=SourcesRequest(names=gone[start : start + _COMPARED_AT_ONCE]),
                retry=True,
            )
        return report

    async def watch(
        self,
        folder: str | Path,
        *,
        prefix: str | None = None,
        delete: bool = True,
        force: bool = False,
        interval_s: float = 1.0,
    ) -> AsyncIterator[SyncReport]:
        """Synchronises a folder whenever it has changed and then stayed the same for `interval_s`."""
        formats = await self._formats()
        seen: object = None
        pause = interval_s
        while True:
            now = await async_in_thread(_stamps, folder, formats)
            while seen is not None and now != seen:
                await async_sleep(interval_s)
                before, now = now, await async_in_thread(_stamps, folder, formats)
                if now == before:
                    break
            if now != seen:
                try:
                    yield await self.sync(folder, prefix=prefix, delete=delete, force=force)
                    seen, pause = now, interval_s
                except (DeletesEverything, FileNotFoundError, NotADirectoryError) as error:
                    yield SyncReport(folder=str(folder), prefix=prefix or "", error=str(error))
                    seen = now
                except (ConnectionFailed, TimedOut, Overloaded) as error:
                    yield SyncReport(folder=str(folder), prefix=prefix or "", error=str(error))
                    pause = min(_LONGEST_PAUSE_S, 2 * pause)
            await async_sleep(pause)

    async def _formats(self) -> FormatsReply:
        return await self._http.call(FormatsReply, "GET", "/v1/formats", retry=True)

    async def _compare(self, files: Sequence[FileToSend], report: SyncReport) -> list[FileToSend]:
        """The files that the collection does not have as they are; the others are counted."""
        changed: set[str] = set()
        for start in range(0, len(files), _COMPARED_AT_ONCE):
            some = files[start : start + _COMPARED_AT_ONCE]
            sources = await async_in_thread(self._described, some)
            try:
                reply = await self._http.call(
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

    async def _gone(self, found: Found, prefix: str, report: SyncReport) -> list[str]:
        """The sources below the prefix whose files are not there. What was left out counts as there."""
        there = {one.name for one in found.files} | {one.name for one in found.skipped}
        folders = tuple(one.name for one in found.skipped if one.name.endswith("/") or not one.name)
        try:
            listed = await self.listed(prefix=f"{prefix}/" if prefix else "")
        except NotFound:
            if not report.dry_run:
                raise
            return []
        return [one.name for one in listed if one.name not in there and not one.name.startswith(folders)]


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
