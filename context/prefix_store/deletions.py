"""What was deleted lately, so that a request that began before keeps nothing of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from context.prefix_store.key import BlockKey


class Deletions:
    """The last `capacity` deletions, numbered. Not locked: the store changes it under its own lock."""

    def __init__(self, capacity: int = 1000) -> None:
        self.count = 0
        self._latest: deque[tuple[str, frozenset[str] | None]] = deque(maxlen=capacity)

    def add(self, scope: str, documents: Collection[str] | None) -> None:
        """Notes that these documents of a scope, or all of it, were deleted."""
        self._latest.append((scope, None if documents is None else frozenset(documents)))
        self.count += 1

    def spare(self, key: BlockKey, since: int) -> bool:
        """Whether no deletion after the first `since` was about this block; False where nobody knows."""
        newer = self.count - since
        if newer > len(self._latest):
            return False
        return not any(
            scope == key.scope and (documents is None or key.document in documents)
            for scope, documents in list(self._latest)[len(self._latest) - newer :]
        )
