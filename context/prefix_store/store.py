"""The prefix store: memory over disk, encoding below both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from context.blocks import Block
from context.prefix_store.disk import DiskTier
from context.prefix_store.flight import Flights
from context.prefix_store.key import BlockKey, scope_of
from context.prefix_store.memory import MemoryTier
from context.prefix_store.tier import Tier, TierStats

Make: TypeAlias = Callable[[Sequence[int]], Sequence[Block]]
"""Makes the blocks at these positions of the keys asked for, in order."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What every tier holds and did, fastest first.

    `encoded` blocks were made because no tier had them, `shared` ones came out of another request that
    was making them; `errors` of tiers cost their help, never a request.
    """

    tiers: tuple[TierStats, ...]
    encoded: int
    shared: int
    errors: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """The blocks asked for, in order, and which of them did not have to be made."""

    blocks: tuple[Block, ...]
    cached: tuple[bool, ...]


class PrefixStore:
    """Blocks by key: looked up in memory, then on disk; a block found lower down moves up.

    Files are written in the background, `pending_bytes` of them at most, so that an answer does not
    wait for the disk. Without `disk_dir`, or if that directory cannot be used, memory is all there is.
    Blocks live on the CPU. Every method may be called from every thread.
    """

    def __init__(
        self,
        memory_bytes: int,
        disk_dir: Path | None = None,
        disk_bytes: int = 0,
        *,
        pending_bytes: int = 256 << 20,
    ) -> None:
        self._errors = self._encoded = self._shared = 0
        self._lock = threading.Lock()
        self._flights = Flights()
        self._memory = MemoryTier(memory_bytes)
        self._disk: DiskTier | None = None
        if disk_dir is not None:
            try:
                self._disk = DiskTier(disk_dir, disk_bytes)
            except OSError as error:
                self._failed(error)
        self._writer = ThreadPoolExecutor(1, "prefix-store")
        self._writes: dict[Future[None], int] = {}
        self._pending_bytes = pending_bytes

    def get(self, key: BlockKey) -> Block | None:
        """The block, or None."""
        block = self._memory.get(key)
        if block is None and self._disk is not None:
            try:
                block = self._disk.get(key)
            except OSError as error:
                self._failed(error)
            if block is not None:
                self._memory.put(key, block)
        return block

    def put(self, key: BlockKey, block: Block) -> None:
        """Keeps the block in memory at once and on disk soon; a failing tier is passed over."""
        self._memory.put(key, block)
        if self._disk is None:
            return
        with self._lock:
            if sum(self._writes.values()) + block.nbytes > self._pending_bytes:
                return
            try:
                write = self._writer.submit(self._write, self._disk, key, block)
            except RuntimeError:  # closed meanwhile
                return
            self._writes[write] = block.nbytes
        write.add_done_callback(self._written)

    def fetch(self, keys: Sequence[BlockKey], make: Make) -> Fetched:
        """The block of every key; those that nobody has are made in one call, and kept.

        What another request is making already is waited for, not made twice. An error of `make` is raised.
        """
        places: dict[BlockKey, int] = {}
        for at, key in enumerate(keys):
            places.setdefault(key, at)
        found: dict[BlockKey, Block] = {}
        made: set[BlockKey] = set()
        while missing := [key for key in places if key not in found]:
            mine, others = self._flights.claim(missing)
            made.update(self._settle(mine, found, lambda keys: make([places[key] for key in keys])))
            for key, flight in others.items():
                if (block := flight.result()) is not None:
                    found[key] = block
                    with self._lock:
                        self._shared += 1
        return Fetched(tuple(found[key] for key in keys), tuple(key not in made for key in keys))

    def delete(self, keys: Sequence[BlockKey]) -> int:
        """Forgets these blocks in every tier; returns how many were there."""
        self.flush()
        return len({key for tier in self._tiers() for key in keys if tier.delete(key)})

    def delete_salt(self, salt: bytes) -> int:
        """Forgets every block of one tenant in every tier; returns how many the largest tier had."""
        self.flush()
        return max(tier.delete_scope(scope_of(salt)) for tier in self._tiers())

    def delete_other_namespaces(self, namespace: str) -> int:
        """Removes the files of every other model, dtype or layout; returns how many."""
        return 0 if self._disk is None else self._disk.delete_other_namespaces(namespace)

    def flush(self) -> None:
        """Waits until everything put in so far is on disk."""
        with self._lock:
            pending = list(self._writes)
        wait(pending)

    def stats(self) -> StoreStats:
        """What the tiers hold and did."""
        with self._lock:
            encoded, shared, errors = self._encoded, self._shared, self._errors
        return StoreStats(tuple(tier.stats() for tier in self._tiers()), encoded, shared, errors)

    def close(self) -> None:
        """Finishes writing; later blocks are kept in memory only."""
        self._writer.shutdown(wait=True)

    def _tiers(self) -> list[Tier]:
        return [self._memory] if self._disk is None else [self._memory, self._disk]

    def _settle(
        self,
        mine: Sequence[BlockKey],
        found: dict[BlockKey, Block],
        make: Callable[[Sequence[BlockKey]], Sequence[Block]],
    ) -> list[BlockKey]:
        """Finds or makes the claimed blocks and returns the keys of those made; every flight lands."""
        try:
            # Only now, after the claim: whoever made a block until a moment ago has put it in.
            found.update((key, block) for key in mine if (block := self.get(key)) is not None)
            wanted = [key for key in mine if key not in found]
            for key, block in zip(wanted, make(wanted) if wanted else (), strict=True):
                found[key] = block
                self.put(key, block)
            with self._lock:
                self._encoded += len(wanted)
            return wanted
        finally:
            for key in mine:
                self._flights.land(key, found.get(key))

    def _write(self, disk: DiskTier, key: BlockKey, block: Block) -> None:
        try:
            disk.put(key, block)
        except OSError as error:
            self._failed(error)

    def _written(self, write: Future[None]) -> None:
        with self._lock:
            self._writes.pop(write, None)

    def _failed(self, error: OSError) -> None:
        with self._lock:
            self._errors += 1
            first = self._errors == 1
        if first:
            _log.warning("the prefix store's disk tier fails (%s); passages are encoded again instead", error)
