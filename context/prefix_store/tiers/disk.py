"""The disk tier: one file a block, reused after a restart, checked at every read.

    DIRECTORY/<namespace>/<scope>/<document>/<block>.safetensors     and *.tmp while one is being written

The directory is the truth. The ledger in memory is rebuilt from it at every start.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

from context.prefix_store.eviction import EvictionName, make_eviction
from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock
from context.prefix_store.tier import TierStats
from context.prefix_store.tiers.block_file import CorruptBlock, block_to_bytes, map_block, seconds_in
from context.prefix_store.tiers.ledger import Counters, Ledger

_SUFFIX = ".safetensors"
_STALE_SECONDS = 600
"""A temporary file this old has lost its writer; a younger one may be another process's."""

_RESCAN = 16
"""After writing this part of the budget, a tier rescans the directory for files of other processes."""


class DiskTier:
    """A `Tier` in a directory. Blocks are mapped, not read: their pages come in as the checksum needs them.

    Processes may share the directory: each finds the others' files, and counts them at the latest after
    writing a sixteenth of the budget itself.
    """

    def __init__(self, directory: Path, capacity_bytes: int, eviction: EvictionName = "gdsf") -> None:
        self._directory = directory
        self._ledger = Ledger(capacity_bytes, make_eviction(eviction))
        self._reserved = 0
        self._unscanned = 0
        self._counters = Counters()
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self._scan()

    def get(self, key: BlockKey) -> StoredBlock | None:
        """The block, or None; a file that is not what its name promises is removed."""
        path = self._path(key)
        try:
            block = map_block(key, path)
            size = path.stat().st_size
            os.utime(path)  # so that the next start knows what was used last
        except FileNotFoundError:
            self._missed(key)
            return None
        except CorruptBlock:
            with self._lock:
                self._counters.corrupt += 1
                self._remove(key)
            self._missed(key)
            return None
        with self._lock:
            self._counters.hits += 1
            self._counters.saved_s += block.seconds
            if not self._ledger.touch(key) and path.exists():
                self._ledger.add(key, size, block.seconds)
        return block

    def put(self, key: BlockKey, block: StoredBlock) -> None:
        """Writes the block beside its place, syncs it and renames it; room is made before that."""
        with self._lock:
            if self._ledger.touch(key):
                return
        data = block_to_bytes(key, block)
        if not self._reserve(len(data)):
            return
        try:
            path = self._path(key)
            self._write(path, data)
            with self._lock:
                # A scan or a reader may have entered it as soon as it was there, and it may be gone since.
                if path.exists():
                    self._ledger.add(key, len(data), block.seconds)
        finally:
            with self._lock:
                self._reserved -= len(data)

    def room(self, size: int) -> bool:
        """Whether `size` more bytes fit without anything having to go."""
        with self._lock:
            return self._ledger.excess(self._reserved + size) <= 0

    def delete(self, key: BlockKey) -> bool:
        """Removes one file; True if it was there."""
        with self._lock:
            return self._remove(key)

    def delete_scope(self, scope: str, documents: Collection[str] | None = None) -> int:
        """Removes every file of one salt, or of these documents of it; returns how many."""
        names = ["*"] if documents is None else documents
        found = [path for name in names for path in self._directory.glob(f"*/{scope}/{name}/*{_SUFFIX}")]
        return self._remove_all(found)

    def delete_other_namespaces(self, namespace: str) -> int:
        """Removes the blocks of every other model, dtype or layout; returns how many."""
        return self._remove_all([path for path in self._files() if self._key(path).namespace != namespace])

    def stats(self) -> TierStats:
        """What it holds and did."""
        with self._lock:
            return self._ledger.stats("disk", self._counters)

    def _path(self, key: BlockKey) -> Path:
        return self._directory / key.namespace / key.scope / key.document / f"{key.block}{_SUFFIX}"

    def _key(self, path: Path) -> BlockKey:
        *_, namespace, scope, document, name = path.parts
        return BlockKey(namespace, scope, document, name.removesuffix(_SUFFIX))

    def _files(self) -> Iterator[Path]:
        return self._directory.glob(f"*/*/*/*{_SUFFIX}")

    def _missed(self, key: BlockKey) -> None:
        with self._lock:
            self._counters.misses += 1
            if not self._path(key).exists():  # it may have been written since
                self._ledger.remove(key)

    def _reserve(self, size: int) -> bool:
        """Makes room for `size` bytes and counts them as taken; False if that is impossible."""
        with self._lock:
            if self._reserved + size > self._ledger.capacity:
                self._counters.refused += 1
                return False
            self._unscanned += size
            if self._unscanned * _RESCAN > self._ledger.capacity:
                self._scan()
            self._make_room(size)
            self._reserved += size
            return True

    def _make_room(self, size: int) -> None:
        for victim in self._ledger.victims(self._reserved + size):
            if self._remove(victim):
                self._counters.evictions += 1

    def _remove(self, key: BlockKey) -> bool:
        """Unlinks one file and strikes it. A file that cannot be removed keeps its place in the books."""
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            self._ledger.remove(key)
            return False
        self._ledger.remove(key)
        return True

    def _remove_all(self, paths: Collection[Path]) -> int:
        with self._lock:
            removed = sum(self._remove(self._key(path)) for path in paths)
        for directory in {path.parent for path in paths}:
            with suppress(OSError):  # another block may be in it by now
                directory.rmdir()
        return removed

    def _write(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.tmp")
        try:
            with _new_file(temporary) as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _sweep(self) -> None:
        """Removes what no block is: files without a writer, files of an older layout, empty directories."""
        for path in [*self._directory.glob("*/*/*/*.tmp"), *self._directory.glob(f"*/*/*{_SUFFIX}")]:
            with suppress(FileNotFoundError):  # another process may be at it, too
                if path.suffix == _SUFFIX or time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
        for depth in ("*/*/*", "*/*", "*"):
            for path in self._directory.glob(depth):
                with suppress(OSError):  # it is not empty, or no directory
                    path.rmdir()

    def _scan(self) -> None:
        """Brings the books up to what lies in the directory, and the directory under its budget."""
        found: list[tuple[float, BlockKey, int]] = []
        for path in self._files():
            with suppress(FileNotFoundError):  # another process may be evicting
                status = path.stat()
                found.append((status.st_mtime, self._key(path), status.st_size))
        known = set(self._ledger)
        for key in known - {key for _, key, _ in found}:
            self._ledger.remove(key)
        for _, key, size in sorted(found):
            if key not in known:
                self._ledger.add(key, size, seconds_in(self._path(key)))
        self._unscanned = 0
        self._make_room(0)


def _new_file(path: Path) -> BufferedWriter:
    """A file to write, and its directory, which another process may remove while it is empty."""
    for _ in range(3):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return path.open("wb")
    return path.open("wb")
