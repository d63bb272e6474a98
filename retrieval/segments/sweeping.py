"""Removes unreferenced files of a collection from disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from retrieval.segments.crash_points import crash_point
from retrieval.segments.files import is_claimed, remove
from retrieval.segments.manifest import NAME, Manifest
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES


def sweep(collection: Path, manifest: Manifest) -> None:
    """Removes what the live manifest does not list, save drafts that a living process writes.

    Call it under the writers' lock. Readers need no grace period: a view opens and maps its files before its
    first search, and a deleted file stays readable while it is open. A reader with an older manifest that
    finds a file missing reads the newer manifest. A file that cannot be removed now waits for the next sweep;
    the commit before it stands.
    """
    crash_point("sweep.begun")
    listed = {entry.name for entry in manifest.segments}
    listed |= {entry.tombstones.file for entry in manifest.segments if entry.tombstones}
    beside = collection.glob(f"{NAME}.*.tmp")
    with suppress(OSError):
        for found in [*(collection / SEGMENTS).iterdir(), *(collection / TOMBSTONES).iterdir(), *beside]:
            if found.name not in listed and not is_claimed(found):
                remove(found)
                crash_point("sweep.removed")
