"""The manifest: one small file that lists the live segments of a collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.segments.files import write_atomically
from retrieval.tokens import Tier

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How documents are cut and indexed; fixed for a collection.

    `ngrams` says whether the n-gram index is built, `tokens` how large segments keep their token vectors.
    """

    passage_tokens: int = 200
    overlap_tokens: int = 32
    ngrams: bool = True
    tokens: Tier = "fast"


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Names one batch of one job, so that it is committed once however often it runs."""

    job: str
    number: int

    def __str__(self) -> str:
        return f"{self.job}/{self.number}"


@dataclass(frozen=True, slots=True)
class Commit:
    """The result of one `add`. `segment` is None when no document had a passage."""

    version: int
    segment: str | None
    checksum: str
    added: int
    replaced: int
    passages: int


_commit_fields = attrgetter(*(one.name for one in fields(Commit)))
_SCALARS = ("version", "encoder", "vocabulary")


@dataclass(frozen=True, slots=True)
class Deletion:
    """The result of one deletion: the number of documents removed, and the first version without them."""

    version: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The deleted documents of a segment, as a file of bits."""

    file: str
    checksum: str
    deleted: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A live segment; `checksum` is of its segment.json, which holds those of its files."""

    name: str
    checksum: str
    documents: int
    passages: int
    tombstones: Tombstones | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a collection."""

    version: int
    encoder: str
    vocabulary: str
    settings: IndexSettings
    segments: tuple[SegmentEntry, ...] = ()
    batches: dict[str, Commit] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The file's bytes: JSON that carries its own checksum; a batch is a list of its commit's fields."""
        body: dict[str, Any] = {"format": FORMAT} | {name: getattr(self, name) for name in _SCALARS}
        body["settings"] = asdict(self.settings)
        body["segments"] = [asdict(entry) for entry in self.segments]
        body["batches"] = {key: _commit_fields(one) for key, one in self.batches.items()}
        text = _canonical(body)
        return f'{text[:-1]},"sha256":"{_checksum(text)}"}}'.encode()

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Manifest:
        """Reads the bytes. Raises CorruptSegment for a wrong checksum, IndexMismatch for another format."""
        try:
            body = json.loads(data)
            checksum = body.pop("sha256")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise CorruptSegment(str(path), "it is not a manifest") from None
        if checksum != _checksum(_canonical(body)):
            raise CorruptSegment(str(path), "its checksum does not hold")
        if (found := body.pop("format")) != FORMAT:
            raise IndexMismatch("manifest format", str(found), str(FORMAT))
        body["settings"] = IndexSettings(**body["settings"])
        # Earlier versions wrote each commit as an object.
        body["batches"] = {
            key: Commit(**commit) if isinstance(commit, dict) else Commit(*commit)
            for key, commit in body["batches"].items()
        }
        body["segments"] = tuple(_entry(raw) for raw in body["segments"])
        return cls(**body)

    @classmethod
    def read(cls, collection: Path) -> Manifest:
        """Reads a collection's manifest. Raises CorruptSegment when it is missing or damaged."""
        with open_manifest(collection) as file:
            return cls.decode(file.read(), Path(file.name))

    @property
    def jobs(self) -> set[str]:
        """The jobs whose batches it remembers."""
        return {_job(key) for key in self.batches}

    def without(self, jobs: Collection[str]) -> Manifest:
        """The same version without the batch records of these jobs."""
        kept = {key: commit for key, commit in self.batches.items() if _job(key) not in jobs}
        return replace(self, batches=kept)

    def write(self, collection: Path) -> None:
        """Makes this the collection's version, in one rename."""
        write_atomically(collection / NAME, self.encode(), fault="manifest")


def open_manifest(collection: Path) -> BinaryIO:
    """The manifest's file, opened. Raises CorruptSegment when there is none."""
    path = collection / NAME
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise CorruptSegment(str(path), "the file is missing") from None


def _job(key: str) -> str:
    return key.rpartition("/")[0]


def _entry(raw: dict[str, Any]) -> SegmentEntry:
    tombstones = raw.pop("tombstones")
    return SegmentEntry(**raw, tombstones=Tombstones(**tombstones) if tombstones else None)


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
