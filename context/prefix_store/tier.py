"""The interface of a prefix store tier, a small protocol that new tiers implement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock


@dataclass(frozen=True, slots=True)
class TierStats:
    """What one tier holds and did since its start.

    `refused` counts blocks that found no room, `corrupt` files that did not hold what was written,
    `saved_s` the seconds that the blocks found here had once taken to encode, `errors` calls that failed.
    """

    name: str
    blocks: int
    bytes: int
    capacity_bytes: int
    hits: int
    misses: int
    evictions: int
    refused: int
    corrupt: int
    saved_s: float
    errors: int = 0


class Tier(Protocol):
    """Holds blocks under a hard byte budget; every method may be called from every thread.

    A tier may raise OSError; the store then goes on without it.
    """

    def get(self, key: BlockKey) -> StoredBlock | None:
        """The block, or None; whatever does not match its key is gone and counts as missing."""
        ...

    def put(self, key: BlockKey, block: StoredBlock) -> None:
        """Keeps the block if there is room for it, at the cost of those worth least."""
        ...

    def room(self, size: int) -> bool:
        """Whether `size` more bytes fit without anything having to go."""
        ...

    def delete(self, key: BlockKey) -> bool:
        """Forgets one block; True if it was there."""
        ...

    def delete_scope(self, scope: str, documents: Collection[str] | None = None) -> int:
        """Forgets every block of one salt, or of these documents of it, in all namespaces; how many."""
        ...

    def stats(self) -> TierStats:
        """What the tier holds and did."""
        ...
