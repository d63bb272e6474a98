"""A collection on disk: immutable segments, and the manifest that lists the live ones."""

from retrieval.lazy_sequence import Pause
from retrieval.segments.encoding import Encoded, Progress, encode, indexed_text
from retrieval.segments.manifest import (
    BatchKey,
    Commit,
    Deletion,
    IndexSettings,
    Manifest,
    SegmentEntry,
    Tombstones,
)
from retrieval.segments.merging import MergeInput, merge_segments
from retrieval.segments.segment import Segment, check_segment, open_segment, publish, taken, write_segment
from retrieval.segments.sweeping import sweep
from retrieval.segments.tombstones import read_live, write_tombstones

__all__ = [
    "BatchKey",
    "Commit",
    "Deletion",
    "Encoded",
    "IndexSettings",
    "Manifest",
    "MergeInput",
    "Pause",
    "Progress",
    "Segment",
    "SegmentEntry",
    "Tombstones",
    "check_segment",
    "encode",
    "indexed_text",
    "merge_segments",
    "open_segment",
    "publish",
    "read_live",
    "sweep",
    "taken",
    "write_segment",
    "write_tombstones",
]
