"""The archive of one collection: a tar file of which every byte follows from the list it begins with.

No tar header from outside is trusted. The list names each file with its size and checksum. The expected
header is computed from that, and the bytes found must be the same. So there are no links, no directories, no
names that lead elsewhere, and nothing unpacks to more than its size.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.errors import CorruptSegment, InvalidArchive
from retrieval.segments.manifest import NAME as MANIFEST

FORMAT = 1
_LIST = "collection.json"
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_CHUNK = 1 << 20
_LONGEST_LIST = 32 << 20
_SEGMENT = "seg-[0-9a-f]{32}"
_PATH = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(DOCUMENTS)}"
    rf"|segments/{_SEGMENT}/(?:[a-z]{{1,20}}/)?[a-z_]{{1,30}}\.(?:json|npy|bin|faiss)"
    rf"|tombstones/{_SEGMENT}\.[0-9]{{1,18}}\.npy"
)
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

Copied = Callable[[int], None]
"""Called with the bytes of each piece that was copied."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its path in the collection's directory, its size and its checksum."""

    path: str
    bytes: _Count
    sha256: str


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The description of an archive, and the list of its files in order.

    `encoder` and `vocabulary` are fingerprints; `settings` are the collection's, as the service keeps them.
    """

    format: int
    name: str
    encoder: str
    vocabulary: str
    version_base: _Count
    documents: _Count
    settings: dict[str, Any]
    members: tuple[Member, ...]

    @property
    def total(self) -> int:
        """The bytes of all files."""
        return sum(member.bytes for member in self.members)

    def encode(self) -> bytes:
        """JSON in one form only, with a checksum of its own."""
        text = json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":"))
        return f'{text[:-1]},"sha256":"{hashlib.sha256(text.encode()).hexdigest()}"}}'.encode()

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Reads what `encode` wrote. Raises ValueError."""
        try:
            body = json.loads(data)
            found = body["format"] if isinstance(body, dict) else None
            if found != FORMAT:
                raise ValueError(f"it has format {found!r}, and this release reads {FORMAT}")
            body.pop("sha256", None)
            header = msgspec.convert(body, cls)
            same = header.encode() == data
        except RecursionError:
            raise ValueError("its list is nested too deeply") from None
        except msgspec.ValidationError as error:
            raise ValueError(f"its list cannot be used: {error}") from None
        if not same:
            raise ValueError("the checksum of its list does not hold")
        paths = [member.path for member in header.members]
        if paths[:2] != [MANIFEST, DOCUMENTS] or len(set(paths)) != len(paths):
            raise ValueError("its list lacks the manifest or the documents, or has a file twice")
        for path in paths:
            if not _PATH.fullmatch(path):
                raise ValueError(f"it has a file {path[:80]!r}, which no collection has")
        return header


class Archive:
    """An archive opened for reading: its list was read and its size agrees, nothing else is known."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.path = path
        try:
            self.header = self._read_list()
        except ValueError as error:
            raise InvalidArchive(str(path), str(error)) from None

    def unpack(self, directory: Path, copied: Copied) -> None:
        """Writes every file below an empty directory. Raises InvalidArchive at the first wrong byte."""
        for member in self.header.members:
            self._expect(_tar_header(member.path, member.bytes), member.path)
            target = directory / member.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                digest = _copy(self._file, out, member.bytes, copied)
            if digest != member.sha256:
                raise InvalidArchive(str(self.path), f"the checksum of {member.path} does not hold")
            self._expect(_padding(member.bytes), member.path)
        self._expect(_END, "its end")
        if self._file.read(1):
            raise InvalidArchive(str(self.path), "something follows its end")

    def _read_list(self) -> Header:
        status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        block = self._file.read(_BLOCK)
        digits = block[124:135]
        size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else -1
        if not 0 < size <= _LONGEST_LIST or block != _tar_header(_LIST, size):
            raise ValueError("it does not begin as an exported collection does")
        data = self._file.read(size)
        if len(data) < size or self._file.read(len(_padding(size))) != _padding(size):
            raise ValueError("it is cut short or damaged within its list")
        header = Header.decode(data)
        whole = _span(size) + sum(_span(member.bytes) for member in header.members) + len(_END)
        if status.st_size != whole:
            raise ValueError(f"it has {status.st_size} bytes where its list makes {whole}")
        return header

    def _expect(self, wanted: bytes, where: str) -> None:
        if self._file.read(len(wanted)) != wanted:
            raise InvalidArchive(str(self.path), f"a byte beside {where} is not what it was")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Opens an archive and reads its list. Raises InvalidArchive."""
    try:
        # A pipe would have whoever opens it wait for its other end.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise InvalidArchive(str(path), f"it cannot be opened ({error.strerror})") from None
    with file:
        yield Archive(file, path)


def write_archive(
    out: BinaryIO, header: Header, open_member: Callable[[str], BinaryIO], copied: Copied
) -> None:
    """Writes the archive of these files, each read from its beginning. Raises CorruptSegment."""
    listed = header.encode()
    out.write(_tar_header(_LIST, len(listed)) + listed + _padding(len(listed)))
    for member in header.members:
        out.write(_tar_header(member.path, member.bytes))
        source = open_member(member.path)
        source.seek(0)
        if _copy(source, out, member.bytes, copied) != member.sha256 or source.read(1):
            raise CorruptSegment(member.path, "its checksum does not hold")
        out.write(_padding(member.bytes))
    out.write(_END)


def _copy(source: BinaryIO, target: BinaryIO, size: int, copied: Copied) -> str:
    """Copies at most `size` bytes; returns their SHA-256."""
    digest = hashlib.sha256()
    left = size
    while left and (chunk := source.read(min(left, _CHUNK))):
        target.write(chunk)
        digest.update(chunk)
        left -= len(chunk)
        copied(len(chunk))
    return digest.hexdigest()


def _tar_header(path: str, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _span(size: int) -> int:
    return _BLOCK + size + len(_padding(size))
