"""Admission: a block is cached when it was wanted twice, or while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Literal, TypeAlias, get_args

from context.prefix_store.key import BlockKey

Admission: TypeAlias = Literal["room", "second-use", "always"]
ADMISSIONS: tuple[Admission, ...] = get_args(Admission)


class SeenOnce:
    """The last `capacity` keys that were wanted once. The oldest are dropped first."""

    def __init__(self, capacity: int = 16_384) -> None:
        self._capacity = capacity
        self._keys: OrderedDict[BlockKey, None] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def note(self, key: BlockKey) -> None:
        """Records that the key was wanted, but not admitted to every tier."""
        with self._lock:
            self._keys[key] = None
            if len(self._keys) > self._capacity:
                self._keys.popitem(last=False)

    def take(self, key: BlockKey) -> bool:
        """Whether the key was noted before; it no longer is."""
        with self._lock:
            return self._keys.pop(key, self) is None


def admits(admission: Admission, *, again: bool, room: bool) -> bool:
    """Whether a tier admits a new block.

    "room", the default: while nothing has to go for it, and from its second use on. A few passages serve
    most requests (Jin et al. 2024, RAGCache, section 3: 3 % of the documents, 60 % of the requests), so
    in a full tier passages wanted once must not push those out; in one with room, refusing them
    would only make the second question as slow as the first. "second-use" spares the disk the writing,
    too.
    """
    return admission == "always" or again or (admission == "room" and room)
