"""What a collection is on disk: immutable segments, and the manifest that says which are live."""

from retrieval.segments.encoding import Encoded, Progress, encode, indexed_text
from retrieval.segments.manifest import BatchKey, Commit, IndexSettings, Manifest, SegmentEntry, Tombstones
from retrieval.segments.segment import Segment, check_segment, open_segment, publish, write_segment
from retrieval.segments.sweeping import sweep
from retrieval.segments.tombstones import read_live, write_tombstones

__all__ = [
    "BatchKey",
    "Commit",
    "Encoded",
    "IndexSettings",
    "Manifest",
    "Progress",
    "Segment",
    "SegmentEntry",
    "Tombstones",
    "check_segment",
    "encode",
    "indexed_text",
    "open_segment",
    "publish",
    "read_live",
    "sweep",
    "write_segment",
    "write_tombstones",
]
