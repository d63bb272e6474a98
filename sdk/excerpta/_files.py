"""Finding the files of an upload on this machine: those to send, and those to leave out with the reason."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from .types import FormatsReply, SkippedFile

HIDDEN = "is hidden"
_LONGEST_NAME = 500
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileToSend:
    """One file and the name the server knows it by; `stamp` changes when the file does."""

    name: str
    path: Path
    bytes: int
    stamp: tuple[int, int]


@dataclass(slots=True)
class Found:
    """The files to send, in a stable order, and those that are left out."""

    files: list[FileToSend] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Leaves out a file, or a folder with all that is in it: then its name ends in a slash."""
        self.skipped.append(SkippedFile(name=name, reason=reason))

    def below(self, prefix: str) -> Found:
        """The same files with names that begin with `prefix` and a slash."""
        if not prefix:
            return self
        moved = Found(
            skipped=[SkippedFile(name=f"{prefix}/{one.name}", reason=one.reason) for one in self.skipped]
        )
        for one in self.files:
            name = f"{prefix}/{one.name}"
            if reason := _unfit(name):
                moved.skip(name, reason)
            else:
                moved.files.append(replace(one, name=name))
        return moved


def find_files(paths: Iterable[str | Path], formats: FormatsReply) -> Found:
    """The files named, and those of a known kind below the folders named.

    The name of a file is its path below the folder that was named; where several paths were, below the
    folder that all of them are in. Raises FileNotFoundError for a path that is not there.
    """
    named = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100: resolve() would follow links
    for path in named:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
    found = Found()
    if not named:
        return found
    base = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in named]))
    for path in dict.fromkeys(named):
        if path.is_dir():
            below = "" if path == base else f"{path.relative_to(base).as_posix()}/"
            _walk(path, below, formats, found, (_identity(path),))
        else:
            _take(path, path.relative_to(base).as_posix(), formats, found, by_kind=False)
    found.files = list({file.name: file for file in found.files}.values())
    return found


def find_folder(folder: Path, prefix: str, formats: FormatsReply) -> Found:
    """The files below a folder, named by their path below it after `prefix` and a slash.

    Raises FileNotFoundError, NotADirectoryError.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is a file; name the folder that it is in")
    found = Found()
    folder = Path(os.path.abspath(folder))  # noqa: PTH100: resolve() would follow links
    _walk(folder, f"{prefix}/" if prefix else "", formats, found, (_identity(folder),))
    return found


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class LazyFile:
    """A file that is open only while it is read, so that an upload may have any number of them.

    As many bytes are read as it had when it was found. Raises OSError when it has become shorter since.
    """

    def __init__(self, file: FileToSend) -> None:
        self._file = file
        self._opened: BinaryIO | None = None
        self._left = file.bytes

    def read(self, size: int = -1) -> bytes:
        """The next bytes; none at the end."""
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            self._close()
            return b""
        if self._opened is None:
            self._opened = self._file.path.open("rb")
        chunk = self._opened.read(wanted)
        if not chunk:
            self._close()
            raise OSError(f"{self._file.path}: became shorter while it was sent; try again")
        self._left -= len(chunk)
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Only to the beginning, or to the end to learn the size."""
        if whence == os.SEEK_END:
            return self._file.bytes
        self._close()
        self._left = self._file.bytes
        return offset

    def tell(self) -> int:
        """The place that `seek` can return to."""
        return 0

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _walk(
    folder: Path, prefix: str, formats: FormatsReply, found: Found, above: tuple[tuple[int, int], ...]
) -> None:
    """Takes the files below a folder; their names begin with `prefix`."""
    for entry in _entries(folder, prefix, found):
        name = prefix + entry.name
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            found.skip(name, f"cannot be read ({error.strerror})")
            continue
        if entry.name.startswith("."):
            found.skip(f"{name}/" if is_folder else name, HIDDEN)
        elif not is_folder:
            _take(Path(entry.path), name, formats, found)
        elif (identity := _identity(Path(entry.path))) in above:
            found.skip(f"{name}/", "is a link to a folder that it is in")
        else:
            _walk(Path(entry.path), f"{name}/", formats, found, (*above, identity))


def _entries(folder: Path, prefix: str, found: Found) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        found.skip(prefix, f"cannot be read ({error.strerror})")


def _take(path: Path, name: str, formats: FormatsReply, found: Found, *, by_kind: bool = True) -> None:
    """Adds a file to those to send, or to those left out. Without `by_kind` every extension is sent."""
    kind = path.suffix.lower()
    try:
        status = path.stat()
    except OSError as error:
        found.skip(_printable(name), f"cannot be read ({error.strerror})")
        return
    most = formats.max_archive_bytes if kind == ".zip" else formats.max_bytes
    if reason := _unfit(name):
        found.skip(_printable(name), reason)
    elif not stat.S_ISREG(status.st_mode):
        found.skip(name, "is neither a file nor a folder")
    elif by_kind and kind not in formats.extensions and path.name.lower() not in formats.names:
        found.skip(name, f"is of a kind that is not read ({kind or 'no extension'})")
    elif status.st_size > most:
        found.skip(name, f"is larger than {most >> 20} MB, the most that is read")
    elif not os.access(path, os.R_OK):
        found.skip(name, "cannot be read (Permission denied)")
    else:
        found.files.append(FileToSend(name, path, status.st_size, (status.st_mtime_ns, status.st_size)))


def _unfit(name: str) -> str | None:
    """The reason why the server would refuse a name."""
    if not name.isprintable():
        return "has a name with control characters, or one that is not UTF-8"
    if "\\" in name:
        return "has a backslash in its name"
    if name[1:2] == ":":
        return "has a name that begins as a drive does"
    return f"has a name longer than {_LONGEST_NAME} characters" if len(name) > _LONGEST_NAME else None


def _printable(name: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in name)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
