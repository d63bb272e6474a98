"""Notifies other processes of deletions, through a log in the shared directory or a stream in Redis.

No process can remove what another one holds in memory. So a process that deletes appends a record when it
is done, and every process reads new records before a lookup. A process that may have missed records clears
its memory.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from redis import Redis
from redis.exceptions import RedisError

from context.prefix_store.breaker import Breaker
from context.prefix_store.deletions import EVERYTHING, Deletion

_MOST_OWED = 1000
_MOST_DOCUMENTS = 1000
_MOST_RECORDS = 10_000
_LARGEST_FILE = 4 << 20
_log = logging.getLogger(__name__)


class DeletionLog(Protocol):
    """Records of deletions that several processes share. Not locked, and may raise OSError.

    `interval_s` is the least time between two calls of `news`, by the cost of a call.
    """

    name: str
    interval_s: float

    def tell(self, deletion: Deletion) -> None:
        """Adds a record."""

    def news(self) -> Sequence[Deletion]:
        """The records of other processes since the last call; EVERYTHING where they are not known."""


class FileLog:
    """A file of one JSON record a line. The first line has its id and the number of files before it.

    Above `largest_bytes` a new file starts; readers of the old one then clear their memory.
    """

    name = "disk"
    interval_s = 0.0

    def __init__(self, path: Path, *, largest_bytes: int = _LARGEST_FILE) -> None:
        self._path = path
        self._largest = largest_bytes
        self._author = uuid.uuid4().hex
        self._seen: tuple[int, int, int] | None = None
        self._first, self._at = b"", 0
        self.news()

    def tell(self, deletion: Deletion) -> None:
        """Adds a record, under a lock."""
        line = json.dumps([self._author, *_fields(deletion)], separators=(",", ":")).encode() + b"\n"
        with self._locked() as (descriptor, size):
            if size > 0 and size + len(line) <= self._largest:
                # One that was cut off by a crash ends here, and is no record.
                whole = os.pread(descriptor, 1, size - 1) == b"\n"
                line = line if whole else b"\n" + line
                if os.write(descriptor, line) < len(line):
                    raise OSError(f"{self._path} is cut off: there is no space left")
                return
            new = self._path.with_name(f"{self._path.name}.{self._author}")
            name = json.dumps([uuid.uuid4().hex, _number(os.pread(descriptor, 200, 0)) + 1])
            new.write_bytes(name.encode() + b"\n" + line)
            new.replace(self._path)

    def news(self) -> Sequence[Deletion]:
        """Others' records behind the last one read; a look at the file's size where there are none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            lost = bool(self._first)
            self._seen, self._first, self._at = None, b"", 0
            return [EVERYTHING] if lost else []
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if seen == self._seen:
            return []
        with self._path.open("rb") as file:
            first = file.readline()
            lost = first != self._first and (bool(self._first) or _number(first) > 1)
            if first == self._first:
                file.seek(self._at)
            start = file.tell()
            new = file.read()
        end = new.rfind(b"\n") + 1
        self._seen, self._first, self._at = seen, first, start + end
        return [EVERYTHING] if lost else self._read(new[:end])

    def _read(self, lines: bytes) -> list[Deletion]:
        found = []
        for line in lines.splitlines():
            try:
                author, scope, documents = json.loads(line)
            except ValueError:  # cut off by a crash
                found.append(EVERYTHING)
                continue
            if author != self._author:
                found.append(_deletion(scope, documents))
        return found

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, int]]:
        """The file, open for adding and locked, and its size; never one that was just replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                mine = os.fstat(descriptor)
                try:
                    current = self._path.stat().st_ino == mine.st_ino
                except FileNotFoundError:
                    current = False
                if current:
                    yield descriptor, mine.st_size
                    return
            finally:
                os.close(descriptor)


class RedisLog:
    """A Redis stream of the last records. If the last record read is gone, records were lost."""

    name = "redis"

    def __init__(self, client: Redis, stream: str, *, interval_s: float = 1.0) -> None:
        self.interval_s = interval_s
        self._redis = client
        self._stream = stream
        self._author = uuid.uuid4().hex
        self._last = self._mark = ""

    def tell(self, deletion: Deletion) -> None:
        """Adds a record."""
        self._add(json.dumps(_fields(deletion), separators=(",", ":")))

    def news(self) -> Sequence[Deletion]:
        """Records of other processes since the last call. The first call gives EVERYTHING."""
        if not self._last:
            self._last, self._mark = self._add("")
            return [EVERYTHING]
        try:
            # From the last one read on: that it is still there says that nothing between is lost.
            found = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]", self._redis.xrange(self._stream, min=self._last)
            )
        except RedisError as error:
            raise OSError(str(error)) from error
        # A stream begun anew in the same millisecond gives the same number again, but not the same mark.
        if not found or _named(found[0]) != (self._last, self._mark):
            self._last = ""
            return self.news()
        self._last, self._mark = _named(found[-1])
        return [
            _deletion(*json.loads(entry[b"deleted"]))
            for _, entry in found[1:]
            if entry[b"by"].decode() != self._author and entry[b"deleted"]
        ]

    def _add(self, deleted: str) -> tuple[str, str]:
        mark = uuid.uuid4().hex
        try:
            record: Any = {"by": self._author, "deleted": deleted, "mark": mark}
            added = self._redis.xadd(self._stream, record, maxlen=_MOST_RECORDS, approximate=True)
        except RedisError as error:
            raise OSError(str(error)) from error
        return cast("bytes", added).decode(), mark


class Listener:
    """One log as the store uses it: it never raises, limits how often it is read, and retries.

    Records that could not be written are written first, once the log works again.
    """

    def __init__(self, log: DeletionLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._breaker = Breaker(clock=clock)
        self._owed: list[Deletion] = []
        self._asked = -float("inf")
        self._lock = threading.Lock()

    def tell(self, deletion: Deletion) -> None:
        """Notifies other processes, now or as soon as that is possible."""
        if deletion.documents is not None and len(deletion.documents) > _MOST_DOCUMENTS:
            deletion = Deletion(deletion.scope)
        with self._lock:
            self._owed = [*self._owed, deletion] if len(self._owed) < _MOST_OWED else [EVERYTHING]
            self._try(list)

    def news(self, *, now: bool = False) -> Sequence[Deletion]:
        """Deletions by other processes. `now` reads the log even if it was read a moment ago.

        While one thread reads, others continue with what is known.
        """
        if not now and self._clock() < self._asked + self._log.interval_s:
            return []
        if not self._lock.acquire(blocking=now):
            return []
        try:
            self._asked = self._clock()
            return self._try(self._log.news)
        finally:
            self._lock.release()

    def _try(self, ask: Callable[[], Sequence[Deletion]]) -> Sequence[Deletion]:
        if not self._breaker.allows():
            return []
        try:
            while self._owed:
                self._log.tell(self._owed[0])
                del self._owed[0]
            found = ask()
        except OSError as error:
            if self._breaker.failed():
                _log.warning(
                    "deletions cannot be shared by the prefix store's %s tier (%s); "
                    "until they can, other processes keep what they have in memory",
                    self._log.name,
                    error,
                )
            return []
        self._breaker.worked()
        return found


def _named(entry: tuple[bytes, dict[bytes, bytes]]) -> tuple[str, str]:
    """A stream's entry: its number and its mark."""
    return entry[0].decode(), entry[1].get(b"mark", b"").decode()


def _number(start: bytes) -> int:
    """Which file of its log begins like this: 1 for the first, 0 for none."""
    try:
        return int(json.loads(start.partition(b"\n")[0])[1])
    except (ValueError, LookupError, TypeError):
        return 0


def _fields(deletion: Deletion) -> list[Any]:
    documents = deletion.documents
    return [deletion.scope, None if documents is None else sorted(documents)]


def _deletion(scope: str | None, documents: Sequence[str] | None) -> Deletion:
    return Deletion(scope, None if documents is None else frozenset(documents))
