"""What a collection is on disk: immutable segments, and the manifest that says which are live."""

from retrieval.segments.manifest import BatchKey, Commit, IndexSettings, Manifest, SegmentEntry, Tombstones
from retrieval.segments.segment import (
    Encoded,
    Segment,
    check_segment,
    indexed_text,
    open_segment,
    own_offsets,
    publish,
    write_segment,
)

__all__ = [
    "BatchKey",
    "Commit",
    "Encoded",
    "IndexSettings",
    "Manifest",
    "Segment",
    "SegmentEntry",
    "Tombstones",
    "check_segment",
    "indexed_text",
    "open_segment",
    "own_offsets",
    "publish",
    "write_segment",
]
