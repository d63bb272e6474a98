"""One segment: an immutable directory with the passages of one batch and every index over them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.filters import Columns
from retrieval.lexical import Terms
from retrieval.ngrams import NgramIndex
from retrieval.segments.faults import point
from retrieval.segments.files import sha256, sync_directory, sync_tree
from retrieval.segments.passages import PassageStore
from retrieval.tokens import TokenIndex
from retrieval.types import Document, Int32, Passage, Tokens, TokenVectors

FORMAT = 1
_RECORD = "segment.json"
_OFFSETS = "token_offsets.npy"
_MOST_CONTEXT = 240


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What a file of a segment must be."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Documents on their way into a segment: each one's passages, and each passage's tokens."""

    documents: list[Document]
    passages: list[list[Passage]]
    vectors: list[TokenVectors]
    ngrams: list[Tokens] | None
    vocabulary_size: int = 0


def indexed_text(passage: Passage) -> tuple[str, int]:
    """The text that all retrievers read for a passage, and where the passage's own text begins in it.

    >>> indexed_text(Passage("d", 0, "Read me.", 0, 8, title="Guide"))
    ('Guide\\nRead me.', 6)
    """
    context = passage.context[:_MOST_CONTEXT]
    return (f"{context}\n{passage.text}", len(context) + 1) if context else (passage.text, 0)


def own_offsets(offsets: Int32, shift: int) -> Int32:
    """Offsets (n, 2) into the indexed text as offsets into the passage; -1 for tokens of the context."""
    inside = (offsets[:, :1] >= shift) & (offsets[:, 1:] >= shift)
    return np.where(inside, offsets - shift, -1).astype(np.int32)


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
        self._offsets: Int32 = np.load(directory / _OFFSETS, mmap_mode="r", allow_pickle=False)
        self._starts = np.concatenate([[0], np.cumsum(self.tokens.lengths)])

    def token_offsets(self, passage: int) -> Int32:
        """Offsets (n, 2) of a passage's indexed tokens into its text; -1 for tokens of its context."""
        return np.asarray(self._offsets[int(self._starts[passage]) : int(self._starts[passage + 1])])


def write_segment(directory: Path, encoded: Encoded) -> str:
    """Writes a segment's files into an empty directory, flushed to disk; returns its record's checksum.

    It is no segment yet: `publish` gives it its name, the manifest lists it.
    """
    parts = {part: directory / part for part in ("passages", "tokens", "lexical", "ngrams")}
    for part, path in parts.items():
        if part != "ngrams" or encoded.ngrams is not None:
            path.mkdir()
    flat = [passage for of_one in encoded.passages for passage in of_one]
    read = [indexed_text(passage) for passage in flat]
    PassageStore.build(parts["passages"], encoded.documents, encoded.passages)
    point("segment.passages")
    TokenIndex.build(parts["tokens"], [one.vectors for one in encoded.vectors])
    offsets = [own_offsets(one.offsets, shift) for one, (_, shift) in zip(encoded.vectors, read, strict=True)]
    np.save(directory / _OFFSETS, np.concatenate([np.zeros((0, 2), np.int32), *offsets]))
    Terms.build(parts["lexical"], [text for text, _ in read])
    if encoded.ngrams is not None:
        own = [
            Tokens(one.ids, own_offsets(one.offsets, shift))
            for one, (_, shift) in zip(encoded.ngrams, read, strict=True)
        ]
        NgramIndex.build(parts["ngrams"], own, vocabulary_size=encoded.vocabulary_size)
    point("segment.indexed")
    checksum = _record(directory)
    sync_tree(directory)
    point("segment.synced")
    return checksum


def publish(directory: Path) -> Path:
    """Gives a written segment its name. Nothing reads it until the manifest lists it."""
    final = directory.with_suffix("")
    directory.rename(final)
    point("segment.renamed")
    sync_directory(final.parent)
    return final


def _record(directory: Path) -> str:
    files = {
        path.relative_to(directory).as_posix(): asdict(FileRecord(path.stat().st_size, sha256(path)))
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    path = directory / _RECORD
    path.write_text(json.dumps({"format": FORMAT, "files": files}, indent=1), "utf-8")
    return sha256(path)


def open_segment(root: Path, name: str, checksum: str) -> Segment:
    """Opens a segment after checking all of it. Raises CorruptSegment with the first file that is wrong."""
    for problem in check_segment(root, name, checksum):
        raise problem
    return Segment(name, root / name)


def check_segment(root: Path, name: str, checksum: str) -> list[CorruptSegment | IndexMismatch]:
    """What is wrong with a segment's files: nothing, or each file with its reason."""
    directory = root / name
    try:
        if sha256(directory / _RECORD) != checksum:
            return [CorruptSegment(str(directory / _RECORD), "its checksum does not hold")]
    except CorruptSegment as missing:
        return [missing]
    record = json.loads((directory / _RECORD).read_text("utf-8"))
    if record["format"] != FORMAT:
        return [IndexMismatch("segment format", str(record["format"]), str(FORMAT))]
    problems: list[CorruptSegment | IndexMismatch] = []
    for relative, raw in record["files"].items():
        path, wanted = directory / relative, FileRecord(**raw)
        if not path.is_file():
            problems.append(CorruptSegment(str(path), "the file is missing"))
        elif path.stat().st_size != wanted.bytes or sha256(path) != wanted.sha256:
            problems.append(CorruptSegment(str(path), "its checksum does not hold"))
    return problems
