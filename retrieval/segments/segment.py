"""One segment: an immutable directory with the passages of one batch and every index over them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from retrieval.catalogue import INDEXES
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.retrievers import IndexTools, SegmentIndex, VectorIndex
from retrieval.segments.columns import Columns
from retrieval.segments.crash_points import crash_point
from retrieval.segments.encoding import Encoded
from retrieval.segments.files import exclusive_if_free, sha256, sync_directory, sync_tree
from retrieval.segments.passages import PassageStore

DIRECTORY = "segments"
FORMAT = 1
RECORD = "segment.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The recorded size and checksum of a segment's file."""

    bytes: int
    sha256: str


class Segment:
    """A segment opened for reading; every file's checksum held when it was opened."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.passages = PassageStore.open(directory / "passages")
        opened = {name: kind.open(directory) for name, kind in INDEXES.items()}
        self.indexes: Mapping[str, SegmentIndex] = {
            name: index for name, index in opened.items() if index is not None
        }
        self.columns = Columns(self.passages.ids, self.passages.metadata)

    @cached_property
    def token_vectors(self) -> VectorIndex:
        """The index that has the passages' token vectors. Raises LookupError where none has."""
        for index in self.indexes.values():
            if isinstance(index, VectorIndex):
                return index
        raise LookupError(f"segment {self.name} has no token vectors")


def write_segment(
    directory: Path,
    encoded: Encoded,
    tools: IndexTools,
    *,
    like: Sequence[Segment] = (),
) -> str:
    """Writes a segment's files into an empty directory, flushed to disk; returns its record's checksum.

    It is no segment yet: `publish` gives it its name, the manifest lists it. `like` are the live segments of
    the same collection, whose training may be used again.
    """
    store = directory / "passages"
    store.mkdir()
    PassageStore.build(store, encoded.documents, encoded.passages)
    crash_point("segment.passages")
    for name, kind in INDEXES.items():
        if name in encoded.batch.rows:
            others = [one.indexes[name] for one in like if name in one.indexes]
            kind.build(directory, encoded.batch, tools, like=others)
    crash_point("segment.indexed")
    checksum = _record(directory)
    crash_point("segment.recorded")
    sync_tree(directory)
    crash_point("segment.synced")
    return checksum


@contextmanager
def taken(collection: Path, name: str) -> Iterator[bool]:
    """Takes a segment for merging, so that no other merge has it too; whether it was free."""
    with exclusive_if_free(collection / DIRECTORY / name / RECORD) as free:
        yield free


def publish(directory: Path) -> Path:
    """Gives a written segment its name. Nothing reads it until the manifest lists it."""
    final = directory.with_suffix("")
    directory.rename(final)
    crash_point("segment.renamed")
    sync_directory(final.parent)
    crash_point("segment.published")
    return final


def _record(directory: Path) -> str:
    files = {
        path.relative_to(directory).as_posix(): asdict(FileRecord(path.stat().st_size, sha256(path)))
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    path = directory / RECORD
    path.write_text(json.dumps({"format": FORMAT, "files": files}, indent=1), "utf-8")
    return sha256(path)


def open_segment(collection: Path, name: str, checksum: str) -> Segment:
    """Opens a segment after checking all of it. Raises CorruptSegment with the first file that is wrong."""
    for problem in check_segment(collection, name, checksum):
        raise problem
    return Segment(name, collection / DIRECTORY / name)


def check_segment(collection: Path, name: str, checksum: str) -> Iterator[CorruptSegment | IndexMismatch]:
    """The problems of a segment's files: each damaged file with its reason; empty if there are none."""
    directory = collection / DIRECTORY / name
    try:
        held = sha256(directory / RECORD) == checksum
    except CorruptSegment as missing:
        yield missing
        return
    if not held:
        yield CorruptSegment(str(directory / RECORD), "its checksum does not hold")
        return
    record = json.loads((directory / RECORD).read_text("utf-8"))
    if record["format"] != FORMAT:
        yield IndexMismatch("segment format", str(record["format"]), str(FORMAT))
        return
    for relative, raw in record["files"].items():
        path, wanted = directory / relative, FileRecord(**raw)
        if not path.is_file():
            yield CorruptSegment(str(path), "the file is missing")
        elif path.stat().st_size != wanted.bytes or sha256(path) != wanted.sha256:
            yield CorruptSegment(str(path), "its checksum does not hold")
