"""Checks that an unpacked archive is one whole collection: list, manifest and records of its segments."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.archive.tar import Header
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.segments import Manifest
from retrieval.segments.manifest import NAME as MANIFEST
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.segment import FORMAT, RECORD
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES

_MOST = 2**53


def check_unpacked(directory: Path, header: Header) -> Manifest:
    """The manifest of an archive that was unpacked, if it lists what the archive has, no more, no less.

    Every checksum of the list must have held. Raises ValueError.
    """
    manifest = _manifest(directory)
    if (manifest.encoder, manifest.vocabulary) != (header.encoder, header.vocabulary):
        raise ValueError("its manifest names other models than its list")
    if manifest.batches:
        raise ValueError("its manifest has batches of jobs, which belong to another database")
    left = {member.path: (member.bytes, member.sha256) for member in header.members}
    del left[MANIFEST], left[DOCUMENTS]
    if len({entry.name for entry in manifest.segments}) != len(manifest.segments):
        raise ValueError("its manifest has a segment twice")
    for entry in manifest.segments:
        folder = f"{SEGMENTS}/{entry.name}"
        if left.pop(f"{folder}/{RECORD}", (0, ""))[1] != entry.checksum:
            raise ValueError(f"segment {entry.name} is not the one that its manifest names")
        own = {path: left.pop(path) for path in sorted(left) if path.startswith(f"{folder}/")}
        wanted = {
            "format": FORMAT,
            "files": {
                path.removeprefix(f"{folder}/"): {"bytes": size, "sha256": checksum}
                for path, (size, checksum) in own.items()
            },
        }
        if _json(directory / folder / RECORD) != wanted:
            raise ValueError(f"the record of segment {entry.name} names other files than the archive has")
        dead = entry.tombstones
        if dead and left.pop(f"{TOMBSTONES}/{dead.file}", (0, ""))[1] != dead.checksum:
            raise ValueError(f"the deletions of segment {entry.name} are not those its manifest names")
    if left:
        raise ValueError(f"it has {min(left)}, which its manifest does not name")
    return manifest


def _manifest(directory: Path) -> Manifest:
    try:
        manifest = msgspec.convert(asdict(Manifest.read(directory)), Manifest)
        counts = [manifest.version, *(count for one in manifest.segments for count in _counts(one))]
    except (CorruptSegment, IndexMismatch, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"its manifest cannot be used ({type(error).__name__}: {error})") from None
    if not all(0 <= count <= _MOST for count in counts):
        raise ValueError("its manifest has numbers that no collection has")
    return manifest


def _counts(entry: Any) -> tuple[int, ...]:
    return entry.documents, entry.passages, entry.tombstones.deleted if entry.tombstones else 0


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
