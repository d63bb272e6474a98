"""One version of a collection held open, so that its files stay while others commit and sweep."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO

from retrieval.archive.agreement import Agreement
from retrieval.archive.tar import Member
from retrieval.errors import CorruptSegment
from retrieval.segments import Manifest, read_live
from retrieval.segments.files import make_room_for_files
from retrieval.segments.manifest import NAME as MANIFEST
from retrieval.segments.passages import PassageStore
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.segment import RECORD
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES
from retrieval.types import Bits

_PASSAGES = "passages"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A manifest without the batches of jobs, its files, opened, and what they must be."""

    manifest: Manifest
    members: tuple[Member, ...]
    files: dict[str, BinaryIO]
    stores: tuple[PassageStore, ...]
    live: tuple[Bits | None, ...]

    def agreement(self) -> Agreement:
        """The check that documents must pass."""
        return Agreement(self.stores, self.live)


@contextmanager
def pin(collection: Path) -> Iterator[Pinned]:
    """Holds the live version open without blocking writers. Raises CorruptSegment."""
    make_room_for_files()
    with ExitStack() as stack:
        yield _pinned(collection, stack)


def _pinned(collection: Path, stack: ExitStack) -> Pinned:
    while True:
        manifest = Manifest.read(collection)
        try:
            with ExitStack() as attempt:
                pinned = _opened(collection, manifest, attempt)
                stack.enter_context(attempt.pop_all())
                return pinned
        except (CorruptSegment, FileNotFoundError):
            # A commit in between may have swept away what this version lists: then the next is held.
            if manifest == Manifest.read(collection):
                raise


def _opened(collection: Path, manifest: Manifest, stack: ExitStack) -> Pinned:
    kept = manifest.without(manifest.jobs)
    encoded = kept.encode()
    files: dict[str, BinaryIO] = {MANIFEST: io.BytesIO(encoded)}
    members = [Member(MANIFEST, len(encoded), sha256(encoded).hexdigest())]

    def hold(path: str) -> io.BufferedReader:
        try:
            file = stack.enter_context((collection / path).open("rb"))
        except FileNotFoundError:
            raise CorruptSegment(str(collection / path), "the file is missing") from None
        files[path] = file
        return file

    for entry in manifest.segments:
        folder = f"{SEGMENTS}/{entry.name}"
        record = hold(f"{folder}/{RECORD}").read()
        if sha256(record).hexdigest() != entry.checksum:
            raise CorruptSegment(str(collection / folder / RECORD), "its checksum does not hold")
        members.append(Member(f"{folder}/{RECORD}", len(record), entry.checksum))
        for name, wanted in sorted(json.loads(record)["files"].items()):
            file = hold(f"{folder}/{name}")
            if (
                name.startswith(f"{_PASSAGES}/")
                and file_digest(file, "sha256").hexdigest() != wanted["sha256"]
            ):
                raise CorruptSegment(str(collection / folder / name), "its checksum does not hold")
            members.append(Member(f"{folder}/{name}", wanted["bytes"], wanted["sha256"]))
        if entry.tombstones:
            path = f"{TOMBSTONES}/{entry.tombstones.file}"
            size = os.fstat(hold(path).fileno()).st_size
            members.append(Member(path, size, entry.tombstones.checksum))
    stores = [PassageStore.open(collection / SEGMENTS / one.name / _PASSAGES) for one in manifest.segments]
    live = [read_live(collection, one) for one in manifest.segments]
    return Pinned(kept, tuple(members), files, tuple(stores), tuple(live))
