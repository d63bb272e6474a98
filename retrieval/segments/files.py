"""Atomic files: written beside their place, flushed to disk, renamed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import CorruptSegment
from retrieval.segments.crash_points import crash_point

_CHUNK = 1 << 20
_MANY_FILES = 1 << 16


def write_atomically(path: Path, data: bytes, *, fault: str) -> None:
    """Replaces `path` by `data`: a crash leaves the old file or the new one."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        crash_point(f"{fault}.written")
        os.fsync(file.fileno())
    crash_point(f"{fault}.synced")
    beside.replace(path)
    crash_point(f"{fault}.renamed")
    sync_directory(path.parent)
    crash_point(f"{fault}.published")


def sync_tree(directory: Path) -> None:
    """Flushes every file below a directory, and the directories, to disk."""
    for found in sorted(directory.rglob("*")):
        if found.is_dir():
            sync_directory(found)
        else:
            with found.open("rb") as file:
                os.fsync(file.fileno())
    sync_directory(directory)


def sync_directory(directory: Path) -> None:
    """Flushes a directory's own entries to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises CorruptSegment when it is not there."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        raise CorruptSegment(str(path), "the file is missing") from None
    return digest.hexdigest()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file `path` against other threads and processes; a crash frees it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Locks a file if it exists and is not locked; returns whether it did. A crash frees the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Marks a directory as being written by this process, for `is_claimed`; a crash ends the claim."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_claimed(path: Path) -> bool:
    """Whether a living process, this one or another, is writing the directory."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return False  # its writer took it away just now, or it never was a draft
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove(path: Path) -> None:
    """Removes a file or a tree. A missing one is not an error."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def make_room_for_files() -> None:
    """Lets this process open as many files as it may: every memory-mapped array of a segment holds one.

    The usual soft limit of 1,024 is for programs that use select(2); it ends at some seventy segments.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
