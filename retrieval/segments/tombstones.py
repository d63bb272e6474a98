"""Tombstones: a segment's deleted documents as a bit file. Each version that deletes writes a new one."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.segments.files import write_atomically
from retrieval.segments.manifest import SegmentEntry, Tombstones
from retrieval.types import Bits

DIRECTORY = "tombstones"


def write_tombstones(collection: Path, segment: str, version: int, live: Bits) -> Tombstones:
    """Writes a segment's deleted documents, `~live` (documents,), for a version still to come."""
    buffer = io.BytesIO()
    np.save(buffer, np.packbits(~live), allow_pickle=False)
    file = f"{segment}.{version}.npy"
    write_atomically(collection / DIRECTORY / file, buffer.getvalue(), fault="tombstones")
    return Tombstones(file, sha256(buffer.getvalue()).hexdigest(), int((~live).sum()))


def read_live(collection: Path, entry: SegmentEntry) -> Bits | None:
    """A segment's live documents (documents,), None when all are. Raises CorruptSegment."""
    if entry.tombstones is None:
        return None
    path = collection / DIRECTORY / entry.tombstones.file
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CorruptSegment(str(path), "the file is missing") from None
    if sha256(data).hexdigest() != entry.tombstones.checksum:
        raise CorruptSegment(str(path), "its checksum does not hold")
    packed = np.load(io.BytesIO(data), allow_pickle=False)
    return np.unpackbits(packed, count=entry.documents) == 0
