"""The prefix store: memory over disk over Redis, encoding below all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from context.prefix_store.admission import Admission, SeenOnce, admits
from context.prefix_store.breaker import Guarded
from context.prefix_store.deletion_log import FileLog, Listener
from context.prefix_store.deletions import Deletion, Deletions
from context.prefix_store.eviction import EvictionName
from context.prefix_store.flight import Flights
from context.prefix_store.key import BlockKey, document_of, scope_of
from context.prefix_store.stored import Storage, StoredBlock, pack, unpack
from context.prefix_store.tier import Tier, TierStats
from context.prefix_store.tiers.disk import DiskTier
from context.prefix_store.tiers.memory import MemoryTier
from context.prefix_store.tiers.redis_tier import RedisTier
from models.attention.blocks import Block

Make: TypeAlias = Callable[[Sequence[int]], Sequence[Block]]
"""Makes the blocks at these positions of the keys asked for, in order."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Contents and counters of every tier, fastest first.

    `encoded` blocks were made because no tier had them, in `encode_s` seconds. `shared` ones came from
    another request that was making them. `errors` of tiers never fail a request.
    """

    tiers: tuple[TierStats, ...]
    encoded: int
    shared: int
    errors: int
    encode_s: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """The requested blocks, in order, and which of them were cached."""

    blocks: tuple[Block, ...]
    cached: tuple[bool, ...]


class PrefixStore:
    """Blocks by key: looked up in memory, then on disk, then in Redis; one found lower down moves up.

    `storage` is the format of stored blocks and part of their namespace. New blocks are converted to it and
    back before use, so an answer does not depend on what was cached.

    Lower tiers are written in the background, `pending_bytes` at most waiting, so that an answer waits
    for none of them. Without `disk_dir` and `disk_bytes`, or if that directory cannot be used, there is no
    disk tier. Processes that share the directory, or the Redis, are notified of each other's deletions there.
    Blocks live on the CPU. Every method may be called from every thread.
    """

    def __init__(
        self,
        memory_bytes: int,
        disk_dir: Path | None = None,
        disk_bytes: int = 0,
        *,
        redis: RedisTier | None = None,
        storage: Storage = "exact",
        eviction: EvictionName = "gdsf",
        admission: Admission = "room",
        pending_bytes: int = 256 << 20,
    ) -> None:
        self.storage: Storage = storage
        self._admission: Admission = admission
        self._errors = self._encoded = self._shared = 0
        self._deletions = Deletions()
        self._encode_s = 0.0
        self._lock = threading.RLock()  # a write that is done at once is struck off at once
        self._flights = Flights()
        self._seen = SeenOnce()
        self._memory = MemoryTier(memory_bytes, eviction)
        self._tiers: list[Tier] = [self._memory]
        self._disk: DiskTier | None = None
        self._redis = redis
        self._listeners: list[Listener] = []
        if disk_dir is not None:
            try:
                self._listeners.append(Listener(FileLog(disk_dir / "deletions")))
                if disk_bytes:
                    self._disk = DiskTier(disk_dir, disk_bytes, eviction)
                    self._tiers.append(Guarded(self._disk))
            except OSError as error:
                self._errors += 1
                _log.warning("the prefix store's disk tier cannot be used (%s); there is none", error)
        if redis is not None:
            self._tiers.append(Guarded(redis))
            self._listeners.append(Listener(redis.deletion_log()))
        self._writer = ThreadPoolExecutor(1, "prefix-store")
        self._writes: dict[Future[None], int] = {}
        self._pending_bytes = pending_bytes

    def fetch(self, keys: Sequence[BlockKey], make: Make, *, keep: bool = False) -> Fetched:
        """The block of every key. Missing blocks are made in one call, and cached if they are admitted.

        Blocks that another request is making are waited for, not made twice. With `keep`, blocks are admitted
        as if they had been used before. An error of `make` is raised.
        """
        self._hear()
        since = self._deletions.count
        places: dict[BlockKey, int] = {}
        for at, key in enumerate(keys):
            places.setdefault(key, at)
        found: dict[BlockKey, StoredBlock] = {}
        made: set[BlockKey] = set()

        def settle(mine: Sequence[BlockKey]) -> list[BlockKey]:
            return self._settle(mine, found, lambda keys: make([places[key] for key in keys]), keep, since)

        while missing := [key for key in places if key not in found]:
            mine, others = self._flights.claim(missing)
            made.update(settle(mine))
            for key, flight in others.items():
                if (stored := flight.result()) is not None:
                    found[key] = stored
                    with self._lock:
                        self._shared += 1
                    if self._seen.take(key):  # some tier refused it when it was wanted for the first time
                        self._keep(key, stored, self._tiers, since)
        blocks = {key: unpack(stored) for key, stored in found.items()}
        return Fetched(tuple(blocks[key] for key in keys), tuple(key not in made for key in keys))

    def room(self, size: int) -> bool:
        """Whether some tier has room for `size` more bytes without an eviction."""
        return any(tier.room(size) for tier in self._tiers)

    def delete(self, keys: Sequence[BlockKey]) -> int:
        """Deletes these blocks from every tier; returns how many there were."""
        about = [Deletion(key.scope, frozenset({key.document})) for key in keys]
        with self._deleting(*about):
            return len({key for tier in self._tiers for key in keys if tier.delete(key)})

    def delete_salt(self, salt: bytes) -> int:
        """Deletes every block with this salt from every tier; returns how many the largest tier had."""
        with self._deleting(Deletion(scope := scope_of(salt))):
            return max(tier.delete_scope(scope) for tier in self._tiers)

    def delete_documents(self, salt: bytes, documents: Collection[str]) -> int:
        """Deletes every block of these documents from every tier; returns how many the largest tier had."""
        scope, names = scope_of(salt), frozenset(document_of(salt, one) for one in documents)
        with self._deleting(Deletion(scope, names)):
            return max(tier.delete_scope(scope, names) for tier in self._tiers)

    def delete_other_namespaces(self, namespace: str) -> int:
        """Removes the files of every other model, dtype or layout; returns how many."""
        return 0 if self._disk is None else self._disk.delete_other_namespaces(namespace)

    def flush(self) -> None:
        """Waits until all pending writes are done."""
        with self._lock:
            pending = list(self._writes)
        wait(pending)

    def stats(self) -> StoreStats:
        """Contents and counters of the tiers."""
        tiers = tuple(tier.stats() for tier in self._tiers)
        with self._lock:
            errors = self._errors + sum(tier.errors for tier in tiers)
            return StoreStats(tiers, self._encoded, self._shared, errors, self._encode_s)

    def close(self) -> None:
        """Finishes writing. Later blocks are stored in memory only."""
        self._writer.shutdown(wait=True)
        if self._redis is not None:
            self._redis.close()

    def _settle(
        self,
        mine: Sequence[BlockKey],
        found: dict[BlockKey, StoredBlock],
        make: Callable[[Sequence[BlockKey]], Sequence[Block]],
        keep: bool,
        since: int,
    ) -> list[BlockKey]:
        """Finds or makes the claimed blocks and returns the keys of those made; every flight lands."""
        try:
            # Only now, after the claim: whoever made a block until a moment ago has put it in.
            for key in mine:
                if (stored := self._find(key, since)) is not None:
                    found[key] = stored
            wanted = [key for key in mine if key not in found]
            if not wanted:
                return []
            began = time.perf_counter()
            blocks = make(wanted)
            spent = time.perf_counter() - began
            tokens = max(1, sum(block.tokens for block in blocks))
            for key, block in zip(wanted, blocks, strict=True):
                found[key] = pack(block, self.storage, spent * block.tokens / tokens)
                self._offer(key, found[key], keep, since)
            with self._lock:
                self._encoded += len(wanted)
                self._encode_s += spent
            return wanted
        finally:
            for key in mine:
                self._flights.land(key, found.get(key))

    def _find(self, key: BlockKey, since: int) -> StoredBlock | None:
        """The block from the fastest tier that has it. It is copied to faster tiers."""
        for at, tier in enumerate(self._tiers):
            if (stored := tier.get(key)) is not None:
                slower = self._tiers[at + 1 :] if self._seen.take(key) else []
                self._keep(key, stored, [*self._tiers[:at], *slower], since)
                return stored
        return None

    def _offer(self, key: BlockKey, stored: StoredBlock, keep: bool, since: int) -> None:
        """Gives a new block to the tiers that admit it, and records its key if not all do."""
        again = keep or self._seen.take(key)
        takers = [
            tier
            for tier in self._tiers
            if admits(self._admission, again=again, room=tier.room(stored.nbytes))
        ]
        self._keep(key, stored, takers, since)
        if len(takers) < len(self._tiers):
            self._seen.note(key)

    def _keep(self, key: BlockKey, stored: StoredBlock, tiers: Sequence[Tier], since: int) -> None:
        """Puts a block into these tiers, unless it was deleted since the request began.

        A mapped block is copied into memory in the background. Mapped pages would not count against
        the memory budget, and would hold the file.
        """
        self._hear()
        with self._lock:
            if not self._deletions.spare(key, since):
                return
            for tier in tiers:
                if tier is self._memory and not stored.mapped:
                    tier.put(key, stored)
                elif sum(self._writes.values()) + stored.nbytes <= self._pending_bytes:
                    try:
                        write = self._writer.submit(self._write, tier, key, stored, since)
                    except RuntimeError:  # closed meanwhile
                        return
                    self._writes[write] = stored.nbytes
                    write.add_done_callback(self._written)

    def _write(self, tier: Tier, key: BlockKey, stored: StoredBlock, since: int) -> None:
        """Puts a block into a tier, in the background. A block deleted meanwhile is removed again."""
        tier.put(key, stored.copied() if tier is self._memory else stored)
        self._hear(now=True)
        if not self._deletions.spare(key, since):
            tier.delete(key)

    def _written(self, write: Future[None]) -> None:
        with self._lock:
            self._writes.pop(write, None)

    def _hear(self, *, now: bool = False) -> None:
        """Removes blocks from memory that other processes have deleted."""
        for listener in self._listeners:
            for deletion in listener.news(now=now):
                with self._lock:
                    self._deletions.add(deletion)
                self._memory.forget(deletion)

    @contextmanager
    def _deleting(self, *deletions: Deletion) -> Iterator[None]:
        """From here on, running requests do not cache deleted blocks. Their pending writes are waited for.

        Other processes are notified only after the deletion. Otherwise they could reload the block from a
        shared tier.
        """
        with self._lock:
            for one in deletions:
                self._deletions.add(one)
        self.flush()
        yield
        for one in deletions:
            for listener in self._listeners:
                listener.tell(one)
