"""The disk tier: one file a block, found again after a restart, never believed unchecked.

    DIRECTORY/<namespace>/<scope>/<block>.safetensors       and *.tmp while one is being written

What lies on disk is the truth; the ledger in memory is rebuilt from it at every start.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from context.blocks import Block
from context.prefix_store.block_file import CorruptBlock, block_from_bytes, block_to_bytes
from context.prefix_store.key import BlockKey
from context.prefix_store.lru import Counters, LruLedger
from context.prefix_store.tier import TierStats

_SUFFIX = ".safetensors"
_STALE_SECONDS = 600
"""A temporary file this old has lost its writer; a younger one may be another process's."""


class DiskTier:
    """A `Tier` in a directory. Processes may share it: each counts what it has seen, and finds the rest."""

    def __init__(self, directory: Path, capacity_bytes: int) -> None:
        self._directory = directory
        self._ledger = LruLedger(capacity_bytes)
        self._reserved = 0
        self._counters = Counters()
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._scan()

    def get(self, key: BlockKey) -> Block | None:
        """The block, or None; a file that is not what its name promises is removed."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            self._missed(key)
            return None
        try:
            block = block_from_bytes(key, data)
        except CorruptBlock:
            with self._lock:
                self._counters.corrupt += 1
                self._remove(key)
            self._missed(key)
            return None
        with suppress(OSError):
            os.utime(path)  # so that the next start knows what was used last
        with self._lock:
            self._counters.hits += 1
            if not self._ledger.touch(key) and path.exists():
                self._ledger.add(key, len(data))
        return block

    def put(self, key: BlockKey, block: Block) -> None:
        """Writes the block beside its place, syncs it and renames it; room is made before that."""
        with self._lock:
            if self._ledger.touch(key):
                return
        data = block_to_bytes(key, block)
        if not self._reserve(len(data)):
            return
        try:
            self._write(self._path(key), data)
            with self._lock:
                self._ledger.add(key, len(data))
        finally:
            with self._lock:
                self._reserved -= len(data)

    def delete(self, key: BlockKey) -> bool:
        """Removes one file; True if it was there."""
        with self._lock:
            return self._remove(key)

    def delete_scope(self, scope: str) -> int:
        """Removes every file of one salt; returns how many."""
        found = [self._key(path) for path in self._directory.glob(f"*/{scope}/*{_SUFFIX}")]
        with self._lock:
            return sum(self._remove(key) for key in found)

    def delete_other_namespaces(self, namespace: str) -> int:
        """Removes the blocks of every other model, dtype or layout; returns how many."""
        found = [self._key(path) for path in self._directory.glob(f"*/*/*{_SUFFIX}")]
        with self._lock:
            return sum(self._remove(key) for key in found if key.namespace != namespace)

    def stats(self) -> TierStats:
        """What it holds and did."""
        with self._lock:
            return self._ledger.stats("disk", self._counters)

    def _path(self, key: BlockKey) -> Path:
        return self._directory / key.namespace / key.scope / f"{key.block}{_SUFFIX}"

    def _key(self, path: Path) -> BlockKey:
        return BlockKey(path.parent.parent.name, path.parent.name, path.name.removesuffix(_SUFFIX))

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
            for victim in self._ledger:
                if self._ledger.excess(self._reserved + size) <= 0:
                    break
                if self._remove(victim):
                    self._counters.evictions += 1
            self._reserved += size
            return True

    def _remove(self, key: BlockKey) -> bool:
        """Unlinks one file and strikes it. A file that cannot be removed keeps its place in the books."""
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            self._ledger.remove(key)
            return False
        self._ledger.remove(key)
        return True

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _scan(self) -> None:
        found: list[tuple[float, BlockKey, int]] = []
        for path in self._directory.glob("*/*/*"):
            with suppress(FileNotFoundError):  # another process may be evicting
                status = path.stat()
                if path.suffix == _SUFFIX:
                    found.append((status.st_mtime, self._key(path), status.st_size))
                elif path.suffix == ".tmp" and time.time() - status.st_mtime > _STALE_SECONDS:
                    path.unlink()
        for _, key, size in sorted(found):
            self._ledger.add(key, size)
        for victim in self._ledger:
            if self._ledger.excess(0) <= 0:
                break
            if self._remove(victim):
                self._counters.evictions += 1
