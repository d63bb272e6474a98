"""The books of a tier: what it holds, how large, and what has to go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

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


class LruLedger:
    """Sizes of entries, least recently used first, and one total that always is their sum.

    Not locked: a tier changes it under its own lock.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.bytes = 0
        self._sizes: OrderedDict[BlockKey, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[BlockKey]:
        """Keys, least recently used first."""
        return iter(tuple(self._sizes))

    def touch(self, key: BlockKey) -> bool:
        """Marks an entry as used just now; False if it is not there."""
        if key not in self._sizes:
            return False
        self._sizes.move_to_end(key)
        return True

    def add(self, key: BlockKey, size: int) -> None:
        """Enters an entry as the one used last."""
        self.remove(key)
        self._sizes[key] = size
        self.bytes += size

    def remove(self, key: BlockKey) -> bool:
        """Strikes an entry; False if it is not there."""
        size = self._sizes.pop(key, None)
        self.bytes -= size or 0
        return size is not None

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
        )
