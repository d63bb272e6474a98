"""The memory tier: blocks as they are, shared with every request that reads them."""

from __future__ import annotations

import threading
from collections.abc import Collection

from context.prefix_store.deletions import Deletion
from context.prefix_store.eviction import EvictionName, make_eviction
from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock
from context.prefix_store.tier import TierStats
from context.prefix_store.tiers.ledger import Counters, Ledger


class MemoryTier:
    """A `Tier` in this process. An evicted block lives on in the requests that still read it."""

    def __init__(self, capacity_bytes: int, eviction: EvictionName = "gdsf") -> None:
        self._ledger = Ledger(capacity_bytes, make_eviction(eviction))
        self._blocks: dict[BlockKey, StoredBlock] = {}
        self._counters = Counters()
        self._lock = threading.Lock()

    def get(self, key: BlockKey) -> StoredBlock | None:
        """The block, or None."""
        with self._lock:
            if self._ledger.touch(key):
                block = self._blocks[key]
                self._counters.hits += 1
                self._counters.saved_s += block.seconds
                return block
            self._counters.misses += 1
            return None

    def put(self, key: BlockKey, block: StoredBlock) -> None:
        """Keeps the block; one that is larger than the whole budget is refused."""
        with self._lock:
            if self._ledger.touch(key):
                return
            if block.nbytes > self._ledger.capacity:
                self._counters.refused += 1
                return
            for victim in self._ledger.victims(block.nbytes):
                self._forget(victim)
                self._counters.evictions += 1
            self._ledger.add(key, block.nbytes, block.seconds)
            self._blocks[key] = block

    def room(self, size: int) -> bool:
        """Whether `size` more bytes fit without anything having to go."""
        with self._lock:
            return self._ledger.excess(size) <= 0

    def delete(self, key: BlockKey) -> bool:
        """Forgets one block; True if it was there."""
        with self._lock:
            return self._forget(key)

    def delete_scope(self, scope: str, documents: Collection[str] | None = None) -> int:
        """Forgets every block of one salt, or of these documents of it; returns how many."""
        return self.forget(Deletion(scope, None if documents is None else frozenset(documents)))

    def forget(self, deletion: Deletion) -> int:
        """Removes the blocks that a deletion covers; returns how many."""
        with self._lock:
            return sum(self._forget(key) for key in self._ledger if deletion.covers(key))

    def stats(self) -> TierStats:
        """What it holds and did."""
        with self._lock:
            return self._ledger.stats("memory", self._counters)

    def _forget(self, key: BlockKey) -> bool:
        self._blocks.pop(key, None)
        return self._ledger.remove(key)
