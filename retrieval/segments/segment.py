"""One segment: an immutable directory with the passages of one batch and every index over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.lexical import Terms
from retrieval.ngrams import NgramIndex
from retrieval.segments.arrays import open_array, save_rows
from retrieval.segments.columns import Columns
from retrieval.segments.crash_points import point
from retrieval.segments.encoding import Encoded
from retrieval.segments.files import exclusive_if_free, sha256, sync_directory, sync_tree
from retrieval.segments.passages import PassageStore
from retrieval.tokens import Tier, TokenIndex, Trainer
from retrieval.types import Int32

DIRECTORY = "segments"
FORMAT = 1
RECORD = "segment.json"
_OFFSETS = "token_offsets.npy"


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
        self.tokens = TokenIndex.open(directory / "tokens")
        self.terms = Terms.open(directory / "lexical")
        ngrams = directory / "ngrams"
        self.ngrams = NgramIndex.open(ngrams) if ngrams.is_dir() else None
        self.columns = Columns(self.passages.ids, self.passages.metadata)
        self._offsets: Int32 = open_array(directory / _OFFSETS)
        self._starts = np.concatenate([[0], np.cumsum(self.tokens.lengths)])

    def token_offsets(self, passage: int) -> Int32:
        """Offsets (n, 2) of a passage's indexed tokens into its text; -1 for tokens of its context."""
        return self._offsets[int(self._starts[passage]) : int(self._starts[passage + 1])]


def write_segment(
    directory: Path,
    encoded: Encoded,
    *,
    tier: Tier = "fast",
    like: TokenIndex | None = None,
    trainer: Trainer | None = None,
) -> str:
    """Writes a segment's files into an empty directory, flushed to disk; returns its record's checksum.

    It is no segment yet: `publish` gives it its name, the manifest lists it. `like` is a token index of
    the same collection whose training is used again, `trainer` what trains in place of FAISS.
    """
    PassageStore.build(_made(directory / "passages"), encoded.documents, encoded.passages)
    point("segment.passages")
    TokenIndex.build(_made(directory / "tokens"), encoded.vectors, tier=tier, like=like, trainer=trainer)
    save_rows(directory / _OFFSETS, sum(map(len, encoded.offsets)), 2, np.int32, encoded.offsets)
    Terms.build(_made(directory / "lexical"), encoded.texts)
    if encoded.ngrams is not None:
        size = encoded.vocabulary_size
        NgramIndex.build(_made(directory / "ngrams"), encoded.ngrams, vocabulary_size=size)
    point("segment.indexed")
    checksum = _record(directory)
    point("segment.recorded")
    sync_tree(directory)
    point("segment.synced")
    return checksum


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@contextmanager
def taken(collection: Path, name: str) -> Iterator[bool]:
    """Takes a segment for merging, so that no other merge has it too; whether it was free."""
    with exclusive_if_free(collection / DIRECTORY / name / RECORD) as free:
        yield free


def publish(directory: Path) -> Path:
    """Gives a written segment its name. Nothing reads it until the manifest lists it."""
    final = directory.with_suffix("")
    directory.rename(final)
    point("segment.renamed")
    sync_directory(final.parent)
    point("segment.published")
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
