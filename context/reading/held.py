"""What one query has read so far, so that none of its stages reads it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from context.prefix_store import BlockKey
from models.attention.blocks import Block


@dataclass(slots=True)
class Held:
    """The blocks of one query's passages, and the keys of those that it had to encode.

    The prefix store may refuse a block that is wanted for the first time; the query itself keeps it until its
    answer begins. `others` counts passages that were read in another way than as blocks. Used on the device's
    thread.
    """

    blocks: dict[BlockKey, Block] = field(default_factory=dict)
    made: set[BlockKey] = field(default_factory=set)
    others: int = 0

    @property
    def encoded(self) -> int:
        """Passages that a network read anew for this query."""
        return len(self.made) + self.others

    def release(self) -> None:
        """Lets go of the blocks; the count stays."""
        self.blocks = {}
