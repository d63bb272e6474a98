"""What a tier of the prefix store must do: one small protocol, so that another can be put behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from context.blocks import Block
from context.prefix_store.key import BlockKey


@dataclass(frozen=True, slots=True)
class TierStats:
    """What one tier holds and did since its start.

    `refused` counts blocks that found no room, `corrupt` files that did not hold what was written.
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


class Tier(Protocol):
    """Holds blocks under a hard byte budget; every method may be called from every thread.

    A tier may raise OSError; the store then goes on without it.
    """

    def get(self, key: BlockKey) -> Block | None:
        """The block, or None; whatever does not match its key is gone and counts as missing."""
        ...

    def put(self, key: BlockKey, block: Block) -> None:
        """Keeps the block if there is room for it, at the cost of those used least recently."""
        ...

    def delete(self, key: BlockKey) -> bool:
        """Forgets one block; True if it was there."""
        ...

    def delete_scope(self, scope: str) -> int:
        """Forgets every block of one salt, in all namespaces; returns how many."""
        ...

    def stats(self) -> TierStats:
        """What the tier holds and did."""
        ...
