"""Uploads on disk: written whole and flushed before the job that reads them exists."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from api.collections.trash import Trash
from api.errors import InvalidUpload, UploadTooLarge

_INDEX = "index.json"
_UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class _Index:
    """The names of an upload's files and the SHA-256 of each; earlier releases wrote only the names."""

    names: list[str]
    digests: list[str]

    def encode(self) -> bytes:
        """As JSON, with a checksum of its own."""
        return msgspec.json.encode(
            {"names": self.names, "sha256": self.digests, "checksum": self._checksum()}
        )

    @classmethod
    def decode(cls, content: bytes) -> _Index:
        """Raises ValueError for an index that is not as it was written."""
        body = msgspec.json.decode(content, type=list[str] | dict[str, list[str] | str])
        if isinstance(body, list):
            return cls(body, [])
        found = msgspec.convert(body, _Written)
        index = cls(found.names, found.sha256)
        if found.checksum != index._checksum():
            raise ValueError("the checksum does not hold")
        return index

    def _checksum(self) -> str:
        return hashlib.sha256(msgspec.json.encode([self.names, self.digests])).hexdigest()


class _Written(msgspec.Struct):
    names: list[str]
    sha256: list[str]
    checksum: str


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """One uploaded file: the name it came with, and where its bytes are."""

    name: str
    path: Path


class SpoolWriter:
    """Takes one upload. `keep` makes it durable under the job's id; leaving without it removes everything.

    Files are numbered on disk: a name from outside never becomes a path.
    """

    def __init__(self, root: Path, most_bytes: int) -> None:
        self._root = root
        self._directory = root / f"{secrets.token_hex(12)}{_UNFINISHED}"
        self._directory.mkdir(parents=True)
        self._most_bytes = most_bytes
        self._names: list[str] = []
        self._bytes = 0
        self._digest = hashlib.sha256()
        self._digests: list[str] = []

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents so far."""
        return self._digest.hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the contents so far."""
        return self._bytes

    def open(self, name: str) -> SpoolPart:
        """Begins the next file."""
        self._names.append(name)
        encoded = name.encode()
        self._digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return SpoolPart(self, self._directory / _numbered(len(self._names) - 1))

    def add(self, name: str, content: bytes) -> None:
        """One file at once."""
        with self.open(name) as part:
            part.write(content)

    def keep(self, job: str) -> None:
        """Gives the complete upload, flushed to disk, to the job."""
        (self._directory / _INDEX).write_bytes(_Index(self._names, self._digests).encode())
        for path in (self._directory / _INDEX, self._directory):
            _flush(path)
        self._directory.rename(self._root / job)
        _flush(self._root)

    def _count(self, content: bytes) -> None:
        self._bytes += len(content)
        if self._bytes > self._most_bytes:
            raise UploadTooLarge(
                f"the upload is over {self._most_bytes // 2**20} MB. "
                "Send it in parts, or raise EXCERPTA_MAX_UPLOAD_MB."
            )
        self._digest.update(content)


class SpoolPart:
    """One file of an upload being written."""

    def __init__(self, writer: SpoolWriter, path: Path) -> None:
        self._writer = writer
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __enter__(self) -> SpoolPart:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._writer._digests.append(self._digest.hexdigest())
        # Apart from its content, so that bytes cannot move from one file to the next unnoticed.
        self._writer._digest.update(self.bytes.to_bytes(8, "big"))

    def write(self, content: bytes) -> None:
        """Adds bytes; raises InvalidUpload when the upload grows too large."""
        self._writer._count(content)
        self._digest.update(content)
        self.bytes += len(content)
        self._file.write(content)


class Uploads:
    """The uploads of all jobs."""

    def __init__(self, root: Path, most_bytes: int) -> None:
        self._root = root
        self._most_bytes = most_bytes

    def writer(self) -> SpoolWriter:
        """A new upload."""
        return SpoolWriter(self._root, self._most_bytes)

    def files(self, job: str) -> list[SpooledFile]:
        """The files of a job's upload, each with the bytes that came.

        Reads all of them once. Raises InvalidUpload when they are gone or damaged.
        """
        directory = self._root / job
        try:
            index = _Index.decode((directory / _INDEX).read_bytes())
            paths = [directory / _numbered(at) for at in range(len(index.names))]
            for path, digest in zip(paths, index.digests, strict=False):
                with path.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                        raise ValueError
        except FileNotFoundError:
            raise InvalidUpload(
                "the job's upload is no longer in the data directory; send it again"
            ) from None
        except (ValueError, msgspec.DecodeError):
            raise InvalidUpload("the job's upload is damaged on disk; send it again") from None
        return [SpooledFile(name, path) for name, path in zip(index.names, paths, strict=True)]

    def drop(self, job: str) -> None:
        """Removes a job's upload."""
        shutil.rmtree(self._root / job, ignore_errors=True)

    def discard(self, job: str, trash: Trash) -> None:
        """Moves the upload of a job that the database does not name to the trash."""
        trash.take(self._root / job, "upload")

    def sweep(self, older_than_s: float) -> None:
        """Removes unfinished uploads that were not written to for so long: their process died."""
        for directory in self._root.glob(f"*{_UNFINISHED}"):
            with contextlib.suppress(FileNotFoundError):
                latest = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
                if latest < time.time() - older_than_s:
                    shutil.rmtree(directory, ignore_errors=True)

    def jobs(self) -> Iterator[str]:
        """The ids of the jobs that have an upload on disk."""
        if self._root.is_dir():
            yield from (path.name for path in self._root.iterdir() if not path.name.endswith(_UNFINISHED))


def open_part(file: SpooledFile) -> BinaryIO:
    """An uploaded file for reading."""
    return file.path.open("rb")


def _numbered(at: int) -> str:
    return f"{at:06d}"


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
