"""Import: an archive is unpacked beside the other collections, tried, then published in one step."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import msgspec
from excerpta.types import CollectionSettings
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.archive.export import Progress
from api.collections.library import index_settings
from api.collections.storable import check_name, storable
from api.collections.stored_plans import stored, upgraded
from api.db import CollectionRow, Database, upgrade
from api.db.documents import document_row, put_documents
from api.db.identity import tie
from api.db.sources import restore_sources
from api.errors import CollectionExists, InvalidRequest, InvalidSettings
from api.http.ids import new_id
from api.query import plan as plans
from api.settings import Settings
from base.errors import ExcerptaError
from models import Models, load_profile
from retrieval import Document, IndexSettings
from retrieval.archive import (
    Archive,
    Expected,
    Header,
    check_unpacked,
    open_archive,
    read_documents,
    try_in_child,
)
from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.corpus import Chunker
from retrieval.errors import InvalidArchive
from retrieval.ngrams import LanguageVocabulary
from retrieval.segments import Manifest
from retrieval.segments.crash_points import crash_point
from retrieval.segments.files import claimed, sync_directory, sync_tree
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES
from retrieval.tokens import TokenEncoder

_ROOM = 256 << 20  # bytes left on the disk
_ROWS, _CHARACTERS = 500, 2_000_000


@dataclass(frozen=True, slots=True)
class Imported:
    """The collection that an archive became."""

    collection: str
    version: int
    documents: int
    passages: int
    segments: int


def bring_in(settings: Settings, source: Path, name: str | None, progress: Progress) -> Imported:
    """Makes a collection of an archive, under its own name or another. Running services show it at once.

    It is invisible until its row is committed. A service removes the files that a crash leaves on disk.
    Raises InvalidArchive, CollectionExists, InvalidRequest for an impossible name, InvalidSettings.
    """
    with open_archive(source) as archive:
        header = archive.header
        wanted = header.name if name is None else name
        check_name(wanted)
        kept = _settings(archive)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        asyncio.run(_refuse_taken(settings, wanted))
        expected = _expected(archive, kept, settings)
        row = CollectionRow(
            id=new_id("col"),
            name=wanted,
            version_base=header.version_base,
            settings=stored(kept),
            created_at=time.time(),
        )
        row.directory = row.id
        with _draft(settings.data_dir / "collections" / row.directory) as directory:
            manifest = _unpacked(archive, directory, kept, expected, progress)
            with _taken(directory / DOCUMENTS) as documents:
                _settle(directory, manifest)
                version = header.version_base + manifest.version
                asyncio.run(_show(settings, row, version, documents, archive, progress))
    return Imported(
        collection=wanted,
        version=version,
        documents=header.documents,
        passages=sum(entry.passages for entry in manifest.segments),
        segments=len(manifest.segments),
    )


def _settings(archive: Archive) -> CollectionSettings:
    """The collection's settings, if a service could have made one with them."""
    try:
        settings = msgspec.convert(upgraded(archive.header.settings), CollectionSettings)
        plans.check(settings.plan)
    except (msgspec.ValidationError, ExcerptaError) as error:
        raise InvalidArchive(str(archive.path), f"its settings cannot be used ({error})") from None
    return settings


def _expected(archive: Archive, kept: CollectionSettings, settings: Settings) -> Expected:
    """The index settings that the profile's models expect. Raises InvalidArchive for other models."""
    header = archive.header
    profile = load_profile(settings.profile, search=[settings.data_dir / "profiles"])
    models = Models(profile, settings.data_dir, cache=settings.cache, device=settings.device)
    encoder = TokenEncoder(models.encoder)
    if encoder.fingerprint != header.encoder:
        raise _mismatch(archive, settings, "encoder", header.encoder, encoder.fingerprint)
    size = 0
    if header.vocabulary:
        vocabulary = LanguageVocabulary(models.lm).named(header.vocabulary)
        if vocabulary.fingerprint != header.vocabulary:
            raise _mismatch(archive, settings, "vocabulary", header.vocabulary, vocabulary.fingerprint)
        size = vocabulary.size
    built = index_settings(kept)
    try:
        Chunker(encoder.tokenize, passage_tokens=built.passage_tokens, overlap_tokens=built.overlap_tokens)
    except ExcerptaError as error:
        raise InvalidArchive(str(archive.path), f"its settings cannot be used ({error})") from None
    return Expected(encoder.dim, size)


def _mismatch(archive: Archive, settings: Settings, what: str, theirs: str, ours: str) -> InvalidArchive:
    return InvalidArchive(
        str(archive.path),
        f"it was indexed with {what} {theirs!r}, and profile {settings.profile!r} has {ours!r}",
        "Import and serve it with the profile it was indexed with: --profile. Where only the number format "
        "differs, 'auto' means another on this machine: name that dtype in a profile of your own.",
    )


def _unpacked(
    archive: Archive, directory: Path, kept: CollectionSettings, expected: Expected, progress: Progress
) -> Manifest:
    """Unpacks, compares and tries all of it. Raises InvalidArchive, and InvalidSettings where no room is."""
    header = archive.header
    free = shutil.disk_usage(directory).free
    if header.total + _ROOM > free:
        raise InvalidSettings(
            "data_dir",
            str(directory.parent.parent),
            f"the archive takes {header.total >> 20} MB, {free >> 20} MB are free; make room, or use another",
        )
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        progress("bytes", done, header.total)

    archive.unpack(directory, copied)
    crash_point("import.unpacked")
    try:
        manifest = check_unpacked(directory, header)
        if manifest.settings != _indexed_with(kept, header):
            raise ValueError("its index was built with other settings than the collection has")
        progress("trying", 0, 1)
        try_in_child(directory, expected)
        progress("trying", 1, 1)
        crash_point("import.tried")
    except ValueError as error:
        raise InvalidArchive(str(archive.path), str(error)) from None
    return manifest


def _indexed_with(kept: CollectionSettings, header: Header) -> IndexSettings:
    built = index_settings(kept)
    return built if header.vocabulary else replace(built, ngrams=False)


def _settle(directory: Path, manifest: Manifest) -> None:
    """Makes the directory a collection's, flushed to disk."""
    for part in (SEGMENTS, TOMBSTONES):
        (directory / part).mkdir(exist_ok=True)
    manifest.write(directory)
    sync_tree(directory)
    sync_directory(directory.parent)
    crash_point("import.settled")


async def _refuse_taken(settings: Settings, name: str) -> None:
    """Raises CollectionExists early, before any work. A name taken later is found at the commit."""
    database = Database(settings.database)
    try:
        await upgrade(database)
        await tie(database, settings.data_dir)
        async with database.read() as session:
            taken = await session.scalar(select(CollectionRow.id).where(CollectionRow.name == name))
    finally:
        await database.close()
    if taken is not None:
        raise CollectionExists(name)


async def _show(
    settings: Settings,
    row: CollectionRow,
    version: int,
    documents: BinaryIO,
    archive: Archive,
    progress: Progress,
) -> None:
    """Commits the collection with its documents in one transaction."""
    identity, name, job = row.id, row.name, new_id("imp")
    done, total = 0, archive.header.documents
    sources: Counter[str] = Counter()
    database = Database(settings.database)
    try:
        async with database.write() as session:
            session.add(row)
            await session.flush()
            for some in _parts(documents):
                rows = [
                    document_row(one, collection=identity, version=version, job=job, batch=0, source=source)
                    for one, source in some
                ]
                await put_documents(session, rows)
                sources.update(source for _, source in some if source)
                done += len(rows)
                progress("documents", min(done, total), total)
            await restore_sources(session, identity, sources, version=version, job=job)
            if done != total:
                raise ValueError(f"it has {done} documents where its list has {total}")
            crash_point("import.told")
    except IntegrityError:
        raise CollectionExists(name) from None
    except ValueError as error:
        raise InvalidArchive(str(archive.path), str(error)) from None
    finally:
        await database.close()


def _parts(documents: BinaryIO) -> Iterator[list[tuple[Document, str | None]]]:
    """The documents with their sources, as many at a time as one statement takes. Raises ValueError."""
    part: list[tuple[Document, str | None]] = []
    characters = 0
    for document, source in read_documents(documents):
        part.append((_as_kept(document), source))
        characters += len(document.text)
        if len(part) == _ROWS or characters >= _CHARACTERS:
            yield part
            part, characters = [], 0
    yield part


def _as_kept(document: Document) -> Document:
    try:
        kept = storable(document)
    except InvalidRequest as error:
        raise ValueError(f"document {document.id!r}: {error}") from None
    if kept != document:
        raise ValueError(f"document {document.id!r} has characters that no database keeps")
    return document


@contextmanager
def _draft(directory: Path) -> Iterator[Path]:
    """A new directory, claimed against sweeps for as long as the block runs, gone if that ends badly."""
    directory.mkdir(parents=True)
    with claimed(directory):
        try:
            yield directory
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise


@contextmanager
def _taken(path: Path) -> Iterator[BinaryIO]:
    """A file opened, which from then on is in no directory."""
    with path.open("rb") as file:
        path.unlink()
        yield file
