"""Writes versions of a collection: drafts are prepared beside it, and listed under one lock."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.collections.versions import Version, Versions
from retrieval.segments import Manifest, Segment, SegmentEntry, open_segment, publish, sweep, write_tombstones
from retrieval.segments.files import claimed, exclusive, remove
from retrieval.segments.segment import DIRECTORY as SEGMENTS

LOCK = "lock"


class Writer:
    """Makes the versions of one collection. Any number of threads and processes have one each."""

    def __init__(self, path: Path, versions: Versions) -> None:
        self.path = path
        self._versions = versions

    def current(self) -> Version:
        """The live version."""
        return self._versions.current()

    @contextmanager
    def locked(self) -> Iterator[Version]:
        """Locks out all other writers. Gives the live version, which cannot change before `commit`."""
        with exclusive(self.path / LOCK):
            yield self._versions.current()

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A directory for a segment in the making, safe from sweeps until the block ends, also published."""
        directory = self.path / SEGMENTS / f"seg-{uuid.uuid4().hex}.tmp"
        with ExitStack() as claim:
            with exclusive(self.path / LOCK):
                directory.mkdir()
                claim.enter_context(claimed(directory))
            try:
                yield directory
            finally:
                remove(directory)

    @contextmanager
    def published(self, draft: Path, checksum: str) -> Iterator[Segment]:
        """Names and opens a written draft, so that the lock is not held while it is read through.

        If no version lists it when the block ends, it is gone.
        """
        final = publish(draft)
        try:
            segment = open_segment(self.path, final.name, checksum)
            with self._versions.expecting(segment):
                yield segment
        finally:
            # Only this block can list the segment; that a merge has replaced it since is as good.
            if all(entry.name != final.name for entry in self.current().manifest.segments):
                remove(final)

    def commit(self, manifest: Manifest) -> None:
        """Makes this the live version, and removes what only the last one had. Call it under the lock."""
        manifest.write(self.path)
        self._versions.current()
        sweep(self.path, manifest)

    def bury(self, current: Version, gone: Iterable[tuple[int, int]], version: int) -> list[SegmentEntry]:
        """The live segments once the documents `gone` are dead; a segment with none left is dropped."""
        dead: dict[int, list[int]] = {}
        for segment, document in gone:
            dead.setdefault(segment, []).append(document)
        entries = []
        for at, (entry, live) in enumerate(zip(current.manifest.segments, current.live, strict=True)):
            if at in dead:
                bits = np.ones(entry.documents, bool) if live is None else live.copy()
                bits[dead[at]] = False
                if not bits.any():
                    continue
                entry = replace(entry, tombstones=write_tombstones(self.path, entry.name, version, bits))
            entries.append(entry)
        return entries
