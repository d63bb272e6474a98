"""The live version of a collection: the segments that its manifest lists, opened for search."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.segments import Manifest, Segment, open_segment, read_live
from retrieval.segments.columns import DOCUMENT_ID
from retrieval.segments.files import make_room_for_files
from retrieval.segments.manifest import NAME, open_manifest
from retrieval.types import Bits

_Stamp: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Version:
    """A manifest with its segments opened, and each segment's live documents (None: all). Immutable."""

    manifest: Manifest
    segments: tuple[Segment, ...]
    live: tuple[Bits | None, ...]

    @property
    def documents(self) -> int:
        """How many documents are live."""
        return sum(
            entry.documents - (entry.tombstones.deleted if entry.tombstones else 0)
            for entry in self.manifest.segments
        )

    def live_documents(self, at: int) -> Bits:
        """The live documents of one segment (documents,)."""
        live = self.live[at]
        return np.ones(len(self.segments[at].passages.ids), bool) if live is None else live

    def sizes(self) -> list[tuple[int, float]]:
        """Each segment's live passages, and what share of its passages and documents is dead.

        Of the two shares, the larger: a document without passages takes room as well.
        """
        sizes = []
        for segment, live in zip(self.segments, self.live, strict=True):
            passages = kept = len(segment.passages)
            dead = 0.0
            if live is not None:
                kept = int(live[segment.passages.owners].sum())
                dead = max(1 - float(live.mean()), (passages - kept) / max(1, passages))
            sizes.append((kept, dead))
        return sizes

    @cached_property
    def kinds(self) -> dict[str, set[str]]:
        """Each metadata field of the live documents and the kinds of its values."""
        kinds: dict[str, set[str]] = {DOCUMENT_ID: {"string"}}
        for segment, live in zip(self.segments, self.live, strict=True):
            for field, held in segment.columns.kinds(live).items():
                kinds.setdefault(field, set()).update(held)
        return kinds

    def place(self, identity: str) -> tuple[int, int] | None:
        """Where a live document is: its segment and its number there. Only one segment has it live."""
        for at, (segment, live) in enumerate(zip(self.segments, self.live, strict=True)):
            document = segment.passages.places.get(identity)
            if document is not None and (live is None or live[document]):
                return at, document
        return None


@dataclass(frozen=True, eq=False)
class _Latest:
    """A version, and the stamp of the manifest file it was read from.

    Versions keeps that file open: so long, no newer manifest is given its inode, and equal stamps mean one
    version. Times alone do not tell two commits within a clock tick apart.
    """

    version: Version
    stamp: _Stamp


class Versions:
    """The live version of one collection directory, whichever process committed it.

    A segment is opened once in this process, after all its checksums held, for as long as a version has it.
    """

    def __init__(self, collection: Path, check: Callable[[Manifest], None]) -> None:
        """`check` raises for a manifest that this process cannot use."""
        self._collection = collection
        self._check = check
        self._latest: _Latest | None = None
        self._loading = threading.Lock()
        self._expected: dict[str, Segment] = {}
        make_room_for_files()

    def current(self) -> Version:
        """The version of the manifest that is on disk now. Raises CorruptSegment, IndexMismatch."""
        latest = self._latest
        if latest is None or latest.stamp != self._stamp():
            with self._loading:
                return self._load()
        return latest.version

    @contextmanager
    def expecting(self, segment: Segment) -> Iterator[None]:
        """Has a segment at hand, opened by its writer, for the version that will list it."""
        self._expected[segment.name] = segment
        try:
            yield
        finally:
            del self._expected[segment.name]

    def _load(self) -> Version:
        while True:
            with ExitStack() as pin:
                file = pin.enter_context(open_manifest(self._collection))
                stamp = _stamp(os.fstat(file.fileno()))
                try:
                    version = self._open(Manifest.decode(file.read(), Path(file.name)))
                except CorruptSegment:
                    if stamp == self._stamp():
                        raise
                    continue  # another process has committed since, and swept away what was to be opened
                self._latest = _Latest(version, stamp)
                weakref.finalize(self._latest, pin.pop_all().close)
                return version

    def _open(self, manifest: Manifest) -> Version:
        before = self._latest.version if self._latest else None
        if before is not None and before.manifest == manifest:
            return before
        self._check(manifest)
        opened = {segment.name: segment for segment in before.segments} if before else {}
        opened |= dict(self._expected)
        known = dict(zip(before.manifest.segments, before.live, strict=True)) if before else {}
        segments = tuple(
            opened.get(entry.name) or open_segment(self._collection, entry.name, entry.checksum)
            for entry in manifest.segments
        )
        live = tuple(
            known[entry] if entry in known else read_live(self._collection, entry)
            for entry in manifest.segments
        )
        return Version(manifest, segments, live)

    def _stamp(self) -> _Stamp:
        try:
            return _stamp((self._collection / NAME).stat())
        except FileNotFoundError:
            raise CorruptSegment(str(self._collection / NAME), "the file is missing") from None


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
