"""Readers of files, one a job. The process that reads is kept for the next job of the same collection.

Starting it takes longer than reading a few small files, and a folder that is watched sends few at a time.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus import LoadLimits
from retrieval.corpus.file_reader import FileReader, ReadInChild, end_child
from retrieval.corpus.load import Loaded
from retrieval.corpus.loaders.places import Listener

KEEP_S = 60.0
_MOST_KEPT = 4
_MOST_JOBS = 100
"""What libraries leak adds up against the limit on memory, so a process does not last for ever."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A process that waits for the next job, those it has served, and what ends it in time."""

    child: subprocess.Popen[bytes]
    jobs: int
    timer: threading.Timer


class Readers:
    """Readers in child processes. No process reads files of two collections. `close` it at the end."""

    def __init__(self, limits: LoadLimits, *, keep_s: float = KEEP_S) -> None:
        self._limits = limits
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._closed = False

    def __call__(self, collection: str, check: Callable[[], None], told: Listener) -> FileReader:
        """A reader for one job of the collection; `check` and `told` are as in `ReadInChild`."""
        with self._lock:
            kept = self._kept.pop(collection, None)
        if kept is None:
            return _Reader(self, collection, ReadInChild(self._limits, check, told), 0)
        kept.timer.cancel()
        reader = ReadInChild(self._limits, check, told, child=kept.child)
        return _Reader(self, collection, reader, kept.jobs)

    def keep(self, collection: str, child: subprocess.Popen[bytes], jobs: int) -> None:
        """Keeps a process that waits for its next file, or ends it."""
        timer = threading.Timer(self._keep_s, self._end, [collection, child])
        timer.daemon = True
        with self._lock:
            full = collection in self._kept or len(self._kept) >= _MOST_KEPT
            if not (self._closed or full or jobs >= _MOST_JOBS):
                self._kept[collection] = _Kept(child, jobs, timer)
                timer.start()
                return
        end_child(child)

    def close(self) -> None:
        """Ends all processes that wait; those of jobs that still run end with these."""
        with self._lock:
            self._closed = True
            kept, self._kept = list(self._kept.values()), {}
        for one in kept:
            one.timer.cancel()
            end_child(one.child)

    def _end(self, collection: str, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            kept = self._kept.get(collection)
            if kept is None or kept.child is not child:
                return
            del self._kept[collection]
        end_child(child)


class _Reader:
    """The reader of one job, which leaves its process to the next one."""

    def __init__(self, readers: Readers, collection: str, reader: ReadInChild, jobs: int) -> None:
        self._readers = readers
        self._collection = collection
        self._reader = reader
        self._jobs = jobs

    def __call__(self, name: str, path: Path) -> Iterator[Loaded]:
        """What the file holds."""
        return self._reader(name, path)

    def close(self) -> None:
        """Leaves the process, if it waits for a file."""
        child = self._reader.leave()
        if child is not None:
            self._readers.keep(self._collection, child, self._jobs + 1)
