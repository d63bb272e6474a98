"""Recent deletions, so that a request that started before them does not cache deleted blocks again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from context.prefix_store.key import BlockKey


@dataclass(frozen=True, slots=True)
class Deletion:
    """These documents of a scope are gone; None for the documents is all of it, for the scope everything."""

    scope: str | None
    documents: frozenset[str] | None = None

    def covers(self, key: BlockKey) -> bool:
        """Whether it is about this block."""
        if self.scope is None:
            return True
        return self.scope == key.scope and (self.documents is None or key.document in self.documents)


EVERYTHING = Deletion(None)
"""Stands for unknown deletions: all blocks must be dropped."""


class Deletions:
    """The last `capacity` deletions, numbered. Not locked: the store changes it under its own lock."""

    def __init__(self, capacity: int = 1000) -> None:
        self.count = 0
        self._latest: deque[Deletion] = deque(maxlen=capacity)

    def add(self, deletion: Deletion) -> None:
        """Records a deletion."""
        self._latest.append(deletion)
        self.count += 1

    def spare(self, key: BlockKey, since: int) -> bool:
        """Whether no deletion after the first `since` covers this block; False where that is unknown."""
        newer = self.count - since
        if newer == 0:
            return True
        if newer > len(self._latest):
            return False
        return not any(one.covers(key) for one in list(self._latest)[len(self._latest) - newer :])
