"""What no longer counts is removed from disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from retrieval.segments.crash_points import point
from retrieval.segments.files import is_claimed, remove
from retrieval.segments.manifest import NAME, Manifest
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES


def sweep(collection: Path, manifest: Manifest) -> None:
    """Removes what the live manifest does not list, save drafts that a living process writes.

    Call it under the writers' lock. No grace is needed for readers: a view opens and maps its files
    before its first search, and a file lives on without a name until nobody has it open. Whoever has read
    an older manifest and comes too late for its files finds one missing and reads the newer manifest.
    What cannot be removed now waits for the next sweep: the commit before it stands.
    """
    point("sweep.begun")
    listed = {entry.name for entry in manifest.segments}
    listed |= {entry.tombstones.file for entry in manifest.segments if entry.tombstones}
    beside = collection.glob(f"{NAME}.*.tmp")
    with suppress(OSError):
        for found in [*(collection / SEGMENTS).iterdir(), *(collection / TOMBSTONES).iterdir(), *beside]:
            if found.name not in listed and not is_claimed(found):
                remove(found)
                point("sweep.removed")
