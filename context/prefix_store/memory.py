"""The memory tier: blocks as they are, shared with every request that reads them."""

from __future__ import annotations

import threading

from context.blocks import Block
from context.prefix_store.key import BlockKey
from context.prefix_store.lru import Counters, LruLedger
from context.prefix_store.tier import TierStats


class MemoryTier:
    """A `Tier` in this process. An evicted block lives on in the requests that still read it."""

    def __init__(self, capacity_bytes: int) -> None:
        self._ledger = LruLedger(capacity_bytes)
        self._blocks: dict[BlockKey, Block] = {}
        self._counters = Counters()
        self._lock = threading.Lock()

    def get(self, key: BlockKey) -> Block | None:
        """The block, or None."""
        with self._lock:
            if self._ledger.touch(key):
                self._counters.hits += 1
                return self._blocks[key]
            self._counters.misses += 1
            return None

    def put(self, key: BlockKey, block: Block) -> None:
        """Keeps the block; one that is larger than the whole budget is refused."""
        with self._lock:
            if self._ledger.touch(key):
                return
            if block.nbytes > self._ledger.capacity:
                self._counters.refused += 1
                return
            for victim in self._ledger:
                if self._ledger.excess(block.nbytes) <= 0:
                    break
                self._forget(victim)
                self._counters.evictions += 1
            self._ledger.add(key, block.nbytes)
            self._blocks[key] = block

    def delete(self, key: BlockKey) -> bool:
        """Forgets one block; True if it was there."""
        with self._lock:
            return self._forget(key)

    def delete_scope(self, scope: str) -> int:
        """Forgets every block of one salt; returns how many."""
        with self._lock:
            return sum(self._forget(key) for key in self._ledger if key.scope == scope)

    def stats(self) -> TierStats:
        """What it holds and did."""
        with self._lock:
            return self._ledger.stats("memory", self._counters)

    def _forget(self, key: BlockKey) -> bool:
        self._blocks.pop(key, None)
        return self._ledger.remove(key)
