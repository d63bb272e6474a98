"""The ledger of a tier: its entries, their sizes, and the order of eviction."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from context.prefix_store.eviction import Eviction, Use
from context.prefix_store.key import BlockKey
from context.prefix_store.tier import TierStats


@dataclass(slots=True)
class Counters:
    """What a tier did since its start."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    refused: int = 0
    corrupt: int = 0
    saved_s: float = 0.0


class Ledger:
    """Sizes and uses of entries, one total that always is their sum, and the order in which they go.

    Not locked: a tier changes it under its own lock.
    """

    def __init__(self, capacity: int, eviction: Eviction) -> None:
        self.capacity = capacity
        self.bytes = 0
        self._eviction = eviction
        self._uses: dict[BlockKey, Use] = {}
        # (priority, number of use, key); an entry whose number is not that of the last use is stale.
        self._order: list[tuple[float, int, BlockKey]] = []
        self._clock = 0

    def __len__(self) -> int:
        return len(self._uses)

    def __iter__(self) -> Iterator[BlockKey]:
        """All keys, in no order; the ledger may change meanwhile."""
        return iter(tuple(self._uses))

    def touch(self, key: BlockKey) -> bool:
        """Marks an entry as used just now; False if it is not there."""
        use = self._uses.get(key)
        if use is None:
            return False
        use.times += 1
        self._rank(key, use)
        return True

    def add(self, key: BlockKey, size: int, seconds: float) -> None:
        """Enters an entry as used once, just now."""
        self.remove(key)
        use = self._uses[key] = Use(size, seconds, times=1, last=0)
        self.bytes += size
        self._rank(key, use)

    def remove(self, key: BlockKey) -> bool:
        """Strikes an entry; False if it is not there."""
        use = self._uses.pop(key, None)
        if use is None:
            return False
        self.bytes -= use.size
        return True

    def victims(self, size: int) -> Iterator[BlockKey]:
        """Entries to remove, first to go first, for as long as `size` more bytes would break the budget.

        The caller removes each entry before it takes the next. An entry that stays is not offered again.
        """
        while self.excess(size) > 0 and self._order:
            priority, number, key = heapq.heappop(self._order)
            use = self._uses.get(key)
            if use is not None and use.last == number:
                self._eviction.evicted(priority)
                yield key

    def excess(self, size: int) -> int:
        """By how many bytes `size` more would break the budget; not positive if there is room."""
        return self.bytes + size - self.capacity

    def stats(self, name: str, counters: Counters) -> TierStats:
        """The ledger and the counters as one record."""
        return TierStats(
            name=name,
            blocks=len(self),
            bytes=self.bytes,
            capacity_bytes=self.capacity,
            hits=counters.hits,
            misses=counters.misses,
            evictions=counters.evictions,
            refused=counters.refused,
            corrupt=counters.corrupt,
            saved_s=counters.saved_s,
        )

    def _rank(self, key: BlockKey, use: Use) -> None:
        self._clock += 1
        use.last = self._clock
        heapq.heappush(self._order, (self._eviction.priority(use), use.last, key))
        if len(self._order) > 2 * len(self._uses) + 64:
            self._order = [
                entry for entry in self._order if (own := self._uses.get(entry[2])) and own.last == entry[1]
            ]
            heapq.heapify(self._order)
