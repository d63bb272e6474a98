"""Reads files in a child process with limits, so that a hostile or broken file ends the child alone.

A parser can loop, take all memory or crash the process it runs in. This is not a security sandbox: it does
not stop code that a flaw in a library lets run.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

import msgspec

from base.processes import address_space, plain_environment
from retrieval.corpus.limits import MEGABYTE, LoadLimits
from retrieval.corpus.load import Loaded, load_file
from retrieval.corpus.loaders.places import Listener, listen
from retrieval.corpus.remarks import Remark
from retrieval.documents import Document, Mark, Metadata
from retrieval.errors import UnreadableDocument

_LENGTH = struct.Struct("<I")
_CHECK_S = 0.2  # seconds between two questions whether to go on
_START_S = 60.0
_WALL_FACTOR = 4
_TOLD_S = 0.5  # seconds between two pages that are told


class _Document(msgspec.Struct, tag="document", array_like=True):
    id: str
    text: str
    title: str
    metadata: Metadata
    marks: tuple[Mark, ...]


class _Unreadable(msgspec.Struct, tag="unreadable", array_like=True):
    name: str
    reason: str


class _Remark(msgspec.Struct, tag="remark", array_like=True):
    name: str
    text: str
    whole: bool


class _Page(msgspec.Struct, tag="page", array_like=True):
    """A page of the file is read; the documents are still to come."""

    number: int
    count: int


class _End(msgspec.Struct, tag="end", array_like=True):
    """A file is read, or the child is ready for its first."""


class _Task(msgspec.Struct, array_like=True):
    name: str
    path: str


_Frame: TypeAlias = _Document | _Unreadable | _Remark | _Page | _End
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Frame).decode


class FileReader(Protocol):
    """Reads one file into documents, unreadable parts and remarks, as `load_file` does."""

    def __call__(self, name: str, path: Path) -> Iterator[Loaded]:
        """What the file at `path` holds; `name` is the file's own."""
        ...

    def close(self) -> None:
        """Gives back what is held for reading."""
        ...


class ReadHere:
    """Reads files in this process, without limits on time and memory."""

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits

    def __call__(self, name: str, path: Path) -> Iterator[Loaded]:
        """What the file holds."""
        return load_file(name, path.read_bytes(), self._limits)

    def close(self) -> None:
        """Nothing is held."""


class ReadInChild:
    """Reads files in one child process after another, for one thread at a time.

    A child serves until a file ends it. `check` is called about five times a second while a file is read;
    what it raises ends the child and the reading. `told` takes the pages of a file that are read, and their
    number, while a file of many pages is read. `close` it at the end, or `leave` its child to another reader
    with the same limits, which takes it as `child`.
    """

    def __init__(
        self,
        limits: LoadLimits,
        check: Callable[[], None] = lambda: None,
        told: Listener = lambda number, count: None,
        *,
        child: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._limits = limits
        self._check = check
        self._told = told
        self._child = child

    def __call__(self, name: str, path: Path) -> Iterator[Loaded]:
        """What the file holds. A file over a limit, or one that ends the child, is an UnreadableDocument."""
        try:
            yield from self._read(name, path)
        except _Ended as error:
            self.close()
            yield UnreadableDocument(name, str(error))
        except BaseException:  # cancelled, or nobody reads on: the child would go on with this file
            self.close()
            raise

    def close(self) -> None:
        """Ends the child."""
        if (child := self.leave()) is not None:
            end_child(child)

    def leave(self) -> subprocess.Popen[bytes] | None:
        """The child, which waits for a file; None if there is none."""
        child, self._child = self._child, None
        return child

    def _read(self, name: str, path: Path) -> Iterator[Loaded]:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        child = self._child or self._start()
        task = _encode(_Task(name, str(path.absolute())))
        try:
            child.stdin.write(_LENGTH.pack(len(task)) + task)  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            raise self._ended(child) from None
        wall = _WALL_FACTOR * self._limits.max_seconds
        deadline = time.monotonic() + wall
        while not isinstance(frame := _decode(self._frame(child, deadline)), _End):
            if isinstance(frame, _Page):
                self._told(frame.number, frame.count)
                continue
            yield _loaded(frame)
            deadline = time.monotonic() + wall

    def _start(self) -> subprocess.Popen[bytes]:
        limits = msgspec.json.encode(self._limits).decode()
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__, limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=plain_environment(),
            cwd=Path(__file__).parents[2],
        )
        self._frame(self._child, time.monotonic() + _START_S)
        return self._child

    def _frame(self, child: subprocess.Popen[bytes], deadline: float) -> bytes:
        """The child's next message."""
        (length,) = _LENGTH.unpack(self._bytes(child, _LENGTH.size, deadline))
        return self._bytes(child, length, deadline)

    def _bytes(self, child: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        descriptor = child.stdout.fileno()  # type: ignore[union-attr]
        while count:
            self._check()
            if time.monotonic() > deadline:
                raise _Ended(_too_long(self._limits.max_seconds))
            if not select.select([descriptor], [], [], _CHECK_S)[0]:
                continue
            part = os.read(descriptor, min(count, MEGABYTE))
            if not part:
                raise self._ended(child)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _ended(self, child: subprocess.Popen[bytes]) -> _Ended:
        status = child.wait()
        if status == -signal.SIGXCPU:
            return _Ended(_too_long(self._limits.max_seconds))
        if status == -signal.SIGKILL:
            return _Ended("was given up by the system while it was read, as for want of memory; split it")
        return _Ended(f"ended the process that read it (status {status}); the file is damaged")


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Ends a child that a reader has left."""
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            stream.close()  # type: ignore[union-attr]


class _Ended(Exception):
    """The child is gone, or has to go; the message is the reason, for the file."""


def _too_long(seconds: float) -> str:
    return f"takes more than {seconds:.0f} s to read; split or simplify it"


def _loaded(frame: _Frame) -> Loaded:
    if isinstance(frame, _Document):
        return Document(frame.id, frame.text, frame.title, frame.metadata, frame.marks)
    if isinstance(frame, _Remark):
        return Remark(frame.name, frame.text, frame.whole)
    assert isinstance(frame, _Unreadable)
    return UnreadableDocument(frame.name, frame.reason)


def _framed(loaded: Loaded) -> _Frame:
    if isinstance(loaded, Document):
        return _Document(loaded.id, loaded.text, loaded.title, loaded.metadata, loaded.marks)
    if isinstance(loaded, Remark):
        return _Remark(loaded.name, loaded.text, loaded.whole)
    return _Unreadable(loaded.name, loaded.reason)


def main() -> int:
    """The child's side: reads tasks from its input until it is closed."""
    limits = msgspec.json.decode(sys.argv[1], type=LoadLimits)
    tasks, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write into the replies
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = address_space() + limits.max_memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _send(replies, _End())
    listen(_Pages(replies))
    while header := tasks.read(_LENGTH.size):
        task = msgspec.msgpack.decode(tasks.read(*_LENGTH.unpack(header)), type=_Task)
        _allow_seconds(limits.max_seconds)
        for loaded in load_file(task.name, Path(task.path).read_bytes(), limits):
            _send(replies, _framed(loaded))
        _send(replies, _End())
    return 0


class _Pages:
    """Tells the parent how many pages are read, now and then."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._last = time.monotonic()

    def __call__(self, number: int, count: int) -> None:
        if time.monotonic() > self._last + _TOLD_S:
            _send(self._replies, _Page(number, count))
            self._last = time.monotonic()


def _allow_seconds(seconds: float) -> None:
    """CPU time from now on; the system ends the process behind it."""
    used = sum(os.times()[:2])
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def _send(replies: BinaryIO, frame: _Frame) -> None:
    body = _encode(frame)
    replies.write(_LENGTH.pack(len(body)) + body)
    replies.flush()


if __name__ == "__main__":
    raise SystemExit(main())
