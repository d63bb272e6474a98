"""Collections by name: rows in the database, indexes on disk, opened once."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec
from excerpta.types import CollectionSettings
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.collections.storable import check_name
from api.collections.stored_plans import stored, upgraded
from api.collections.trash import Trash
from api.db import CollectionRow, Database, JobRow
from api.device.networks import DeviceEncoder, Networks
from api.errors import CollectionExists, UnknownCollection
from api.http.ids import new_id
from models import Priority
from retrieval import Collection, IndexSettings
from retrieval.segments.files import is_claimed
from retrieval.tokens import DeviceSearch

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A collection as the database has it."""

    id: str
    name: str
    directory: str
    version_base: int
    settings: CollectionSettings
    created_at: float


@dataclass(frozen=True, slots=True)
class Orphans:
    """Directories without a collection: `replaced` by a rebuild, or `unknown` to the database."""

    replaced: set[str]
    unknown: set[str]


class Library:
    """All collections. Blocking calls run in `threads`. A row names the directory of the current index."""

    def __init__(
        self,
        database: Database,
        networks: Networks,
        root: Path,
        threads: ThreadPoolExecutor,
        accelerator: DeviceSearch | None = None,
    ) -> None:
        self._database = database
        self._networks = networks
        self._root = root
        self._threads = threads
        self._accelerator = accelerator
        self._opened: dict[str, Collection] = {}
        self._opening = threading.Lock()

    async def create(self, name: str, settings: CollectionSettings) -> Entry:
        """Makes an empty collection. Raises CollectionExists, and InvalidRequest for an impossible name."""
        check_name(name)
        identity = new_id("col")
        row = CollectionRow(
            id=identity,
            name=name,
            directory=identity,
            version_base=0,
            settings=stored(settings),
            created_at=time.time(),
        )
        entry = _entry(row)
        await self.run(self.make, entry.directory, entry.settings)
        try:
            async with self._database.write() as session:
                session.add(row)
        except IntegrityError:
            await self.run(self._remove, identity)
            raise CollectionExists(name) from None
        return entry

    async def get(self, name: str) -> Entry:
        """A collection by its name. Raises UnknownCollection."""
        async with self._database.read() as session:
            row = await session.scalar(select(CollectionRow).where(CollectionRow.name == name))
        if row is None:
            raise UnknownCollection(name)
        return _entry(row)

    async def by_id(self, identity: str) -> Entry:
        """A collection by its id. Raises UnknownCollection."""
        async with self._database.read() as session:
            row = await session.get(CollectionRow, identity)
        if row is None:
            raise UnknownCollection(identity)
        return _entry(row)

    async def all(self) -> list[Entry]:
        """Every collection, by name."""
        async with self._database.read() as session:
            rows = await session.scalars(select(CollectionRow).order_by(CollectionRow.name))
            return [_entry(row) for row in rows]

    async def delete(self, name: str) -> Entry:
        """Removes a collection with its documents and jobs, then its index."""
        async with self._database.write() as session:
            row = await session.scalar(
                select(CollectionRow).where(CollectionRow.name == name).with_for_update()
            )
            if row is None:
                raise UnknownCollection(name)
            entry = _entry(row)
            await session.delete(row)
        await self.run(self._remove, entry.directory)
        return entry

    def open(self, entry: Entry) -> Collection:
        """The collection's index; blocks, so call it in a thread other than the device's.

        An index that is not there is damaged, never made anew: its documents would be missing without a word.
        Raises IndexMismatch, CorruptSegment.
        """
        with self._opening:
            return self._open(entry.directory, entry.settings, Collection.open)

    def make(self, directory: str, settings: CollectionSettings) -> Collection:
        """The index in a directory of this name; an empty one where there is none."""
        with self._opening:
            make = partial(Collection.create, settings=index_settings(settings))
            return self._open(directory, settings, make)

    def _open(
        self, directory: str, settings: CollectionSettings, kind: Callable[..., Collection]
    ) -> Collection:
        if directory not in self._opened:
            load = partial(self._networks.device.submit, priority=Priority.INTERACTIVE)
            encoder = load(lambda: self._networks.encoder).result()
            vocabulary = load(lambda: self._networks.vocabulary).result() if settings.ngrams else None
            self._opened[directory] = kind(
                self._root / directory,
                encoder=DeviceEncoder(encoder, self._networks.device),
                vocabulary=vocabulary,
                accelerator=self._accelerator,
            )
        return self._opened[directory]

    def path(self, entry: Entry) -> Path:
        """The directory of the collection's index."""
        return self._root / entry.directory

    def opened(self) -> list[Collection]:
        """The indexes that this process has open, without those that another process has removed."""
        with self._opening:
            for directory, collection in list(self._opened.items()):
                if not collection.path.exists():
                    del self._opened[directory]
            return list(self._opened.values())

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a blocking call in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def orphans(self) -> Orphans:
        """Directories that no collection has, and neither a job nor an import is making."""
        async with self._database.read() as session:
            rows = (await session.execute(select(CollectionRow.id, CollectionRow.directory))).all()
            jobs = (
                await session.execute(select(JobRow.id, JobRow.state).where(JobRow.kind == "rebuild"))
            ).all()
        used = {directory for _, directory in rows}
        used.update(job for job, state in jobs if state in ("queued", "running"))
        found = {path.name: path for path in self._root.glob("*") if path.is_dir()}
        left = {name for name, path in found.items() if name not in used and not is_claimed(path)}
        replaced = left & {*(identity for identity, _ in rows), *(job for job, _ in jobs)}
        return Orphans(replaced=replaced, unknown=left - replaced)

    async def forget(self, entry: Entry, documents: Iterable[str] | None = None) -> None:
        """Deletes the cached blocks of a collection's passages, or of these documents only."""
        names = None if documents is None else set(documents)
        await self.run(self._networks.forget, entry.id, entry.name, names)

    async def remove(self, directory: str) -> None:
        """Removes a replaced directory that `orphans` found."""
        await self.run(self._remove, directory)

    async def discard(self, directory: str, trash: Trash) -> None:
        """Moves an unknown directory that `orphans` found to the trash."""

        def move() -> None:
            with self._opening:
                self._opened.pop(directory, None)
            trash.take(self._root / directory, "collection")

        await self.run(move)

    def _remove(self, directory: str) -> None:
        with self._opening:
            self._opened.pop(directory, None)
        shutil.rmtree(self._root / directory, ignore_errors=True)


def index_settings(settings: CollectionSettings) -> IndexSettings:
    """The index settings for a collection's settings."""
    return IndexSettings(settings.passage_tokens, settings.overlap_tokens, settings.ngrams, settings.index)


def _entry(row: CollectionRow) -> Entry:
    settings = msgspec.convert(upgraded(msgspec.json.decode(row.settings)), CollectionSettings)
    return Entry(row.id, row.name, row.directory, row.version_base, settings, row.created_at)
