"""Export: writes one version of a collection's index, and its documents at that moment, to an archive."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
from sqlalchemy import select

from api.archive.on_disk import collection_row, refuse_no_data
from api.db import CollectionRow, Database, DocumentRow
from api.db.documents import document_of
from api.errors import InvalidRequest, Unsettled
from api.settings import Settings
from retrieval.archive import Header, Member, Pinned, encode_document, pin, write_archive
from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.archive.tar import FORMAT
from retrieval.errors import CorruptSegment
from retrieval.segments.files import sync_directory

Progress = Callable[[str, int, int], None]
"""Progress callback: name of the step, amount done, total; in bytes or documents."""

_PATIENCE_S = 30.0
_PAUSE_S = 0.25
_ROWS = 100


@dataclass(frozen=True, slots=True)
class Exported:
    """The contents of an archive of `bytes`."""

    collection: str
    version: int
    documents: int
    passages: int
    segments: int
    bytes: int


class _Spool:
    """Documents as lines in an unnamed temporary file, which disappears with this process."""

    def __init__(self, directory: Path) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self.clear()

    def clear(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self._digest = hashlib.sha256()
        self.documents = self._bytes = 0

    def write(self, line: bytes) -> None:
        self.file.write(line)
        self._digest.update(line)
        self._bytes += len(line)
        self.documents += 1

    def member(self) -> Member:
        return Member(DOCUMENTS, self._bytes, self._digest.hexdigest())


def export(
    settings: Settings, name: str, target: Path, progress: Progress, *, patience_s: float = _PATIENCE_S
) -> Exported:
    """Writes a collection's archive to `target`, whole or not at all; services over the same data go on.

    Raises UnknownCollection, CorruptSegment, InvalidRequest where the file cannot be, and Unsettled when
    for `patience_s` seconds no moment was found at which index and documents agree.
    """
    refuse_no_data(settings)
    with ExitStack() as stack:
        out = stack.enter_context(_written(target))
        spool = _Spool(target.parent)
        stack.callback(spool.file.close)
        found = _one_moment(settings, name, spool, progress, stack, patience_s)
        row, pinned = asyncio.run(found)
        return _write(out, row, pinned, spool, progress)


async def _one_moment(
    settings: Settings, name: str, spool: _Spool, progress: Progress, stack: ExitStack, patience_s: float
) -> tuple[CollectionRow, Pinned]:
    """The index held open by `stack`, and in the spool the documents that it was made of."""
    deadline = time.monotonic() + patience_s
    database = Database(settings.database)
    try:
        row = await collection_row(database, name)
        while True:
            directory = row.directory
            try:
                with ExitStack() as attempt:
                    pinned = attempt.enter_context(pin(settings.data_dir / "collections" / directory))
                    difference = await _spooled(database, row, pinned, spool, progress)
                    if difference is None:
                        stack.enter_context(attempt.pop_all())
                        return row, pinned
                if time.monotonic() > deadline:
                    raise Unsettled(name, difference)
                row = await collection_row(database, name)
            except CorruptSegment:
                row = await collection_row(database, name)
                if row.directory == directory:  # else a rebuild has put another index in its place
                    raise
            await asyncio.sleep(_PAUSE_S)
    finally:
        await database.close()


async def _spooled(
    database: Database, row: CollectionRow, pinned: Pinned, spool: _Spool, progress: Progress
) -> str | None:
    """Writes the documents of one moment into the spool; returns the differences from the index."""
    spool.clear()
    agreement = pinned.agreement()
    total = agreement.left
    async with database.read() as session:
        rows = await session.stream_scalars(
            select(DocumentRow)
            .where(DocumentRow.collection_id == row.id, ~DocumentRow.deleted)
            .order_by(DocumentRow.id)
            .execution_options(yield_per=_ROWS)
        )
        async for one in rows:
            document = document_of(one)
            if difference := agreement.differs(document):
                return difference
            spool.write(encode_document(document, one.source))
            progress("documents", spool.documents, total)
    if agreement.left:
        return f"{agreement.left} documents of its index are not in the database"
    return None


def _write(out: BinaryIO, row: CollectionRow, pinned: Pinned, spool: _Spool, progress: Progress) -> Exported:
    manifest = pinned.manifest
    listed, *indexes = pinned.members
    header = Header(
        format=FORMAT,
        name=row.name,
        encoder=manifest.encoder,
        vocabulary=manifest.vocabulary,
        version_base=row.version_base,
        documents=spool.documents,
        settings=msgspec.json.decode(row.settings),
        members=(listed, spool.member(), *indexes),
    )
    files = pinned.files | {DOCUMENTS: spool.file}
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        progress("bytes", done, header.total)

    write_archive(out, header, files.__getitem__, copied)
    return Exported(
        collection=row.name,
        version=row.version_base + manifest.version,
        documents=spool.documents,
        passages=sum(entry.passages for entry in manifest.segments),
        segments=len(manifest.segments),
        bytes=out.tell(),
    )


@contextmanager
def _written(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when the block succeeds. A leftover of a crash is overwritten."""
    part = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidRequest("FILE", f"{part} cannot be written ({error.strerror}); name another") from None
    with os.fdopen(descriptor, "wb") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRequest("FILE", f"another export is writing {target}; name another") from None
        if not part.exists() or not os.path.samestat(os.fstat(out.fileno()), part.stat()):
            # It was opened just before another export was done with it: by now it is that one's result.
            raise InvalidRequest("FILE", f"another export has just written {target}; try again")
        out.truncate()
        try:
            yield out
            out.flush()
            os.fsync(out.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_directory(target.parent)
