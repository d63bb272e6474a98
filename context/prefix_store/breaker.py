"""Circuit breaker: a tier that fails is skipped for a while, so that requests only lose its cached blocks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock
from context.prefix_store.tier import Tier, TierStats

T = TypeVar("T")
_MOST_OWED = 1000
_log = logging.getLogger(__name__)


class Breaker:
    """Says when to try again: after `first_s` seconds, and twice as long after each further failure.

    When a pause is over one caller may try; the others wait for what it finds.
    """

    def __init__(
        self, first_s: float = 0.5, longest_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._clock = clock
        self._pause_s = 0.0
        self._until = 0.0
        self._trying = False
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether to try now."""
        with self._lock:
            if not self._pause_s:
                return True
            if self._clock() < self._until:
                return False
            self._until = self._clock() + self._pause_s
            self._trying = True
            return True

    def failed(self) -> bool:
        """Records a failure; True if it is the first."""
        with self._lock:
            first = not self._pause_s
            if first or self._trying:  # others that were under way say nothing new
                self._pause_s = min(self._pause_s * 2 or self._first_s, self._longest_s)
                self._until = self._clock() + self._pause_s
                self._trying = False
            return first

    def worked(self) -> bool:
        """Records a success; True if it ends a pause."""
        with self._lock:
            ends = self._pause_s > 0
            self._pause_s, self._trying = 0.0, False
            return ends


class Guarded:
    """A `Tier` that never raises: while the wrapped tier fails, nothing is found or stored in it.

    Reading and writing fail independently: a full disk can still be read. A failed deletion is retried, and
    nothing is read before it succeeds.
    """

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self._name = tier.stats().name
        self._reads, self._writes = Breaker(), Breaker()
        self._owed: dict[str, frozenset[str] | None] = {}
        self._errors = 0
        self._lock = threading.Lock()

    def get(self, key: BlockKey) -> StoredBlock | None:
        """The block, or None."""

        def read() -> StoredBlock | None:
            self._pay()
            return self._tier.get(key)

        return self._try(self._reads, read, None)

    def put(self, key: BlockKey, block: StoredBlock) -> None:
        """Keeps the block if that is possible."""
        self._try(self._writes, lambda: self._tier.put(key, block), None)

    def room(self, size: int) -> bool:
        """Whether `size` more bytes fit without anything having to go."""
        return self._tier.room(size)

    def delete(self, key: BlockKey) -> bool:
        """Deletes one block; True if it was there. If that fails, the whole document is deleted later."""
        try:
            return self._tier.delete(key)
        except OSError as error:
            self._owe(key.scope, {key.document}, error)
            return False

    def delete_scope(self, scope: str, documents: Collection[str] | None = None) -> int:
        """Forgets every block of one salt, or of these documents of it; returns how many."""
        try:
            return self._tier.delete_scope(scope, documents)
        except OSError as error:
            self._owe(scope, documents, error)
            return 0

    def stats(self) -> TierStats:
        """What it holds and did."""
        return replace(self._tier.stats(), errors=self._errors)

    def _try(self, breaker: Breaker, call: Callable[[], T], otherwise: T) -> T:
        if not breaker.allows():
            return otherwise
        try:
            result = call()
        except OSError as error:
            self._failed(breaker, error)
            return otherwise
        if breaker.worked():
            _log.info("the prefix store's %s tier works again", self._name)
        return result

    def _failed(self, breaker: Breaker, error: OSError) -> None:
        with self._lock:
            self._errors += 1
        if breaker.failed():
            _log.warning(
                "the prefix store's %s tier fails (%s); passages are encoded again instead", self._name, error
            )

    def _owe(self, scope: str, documents: Collection[str] | None, error: OSError) -> None:
        with self._lock:
            owed = self._owed.get(scope, frozenset())
            if documents is None or owed is None or len(owed) + len(documents) > _MOST_OWED:
                self._owed[scope] = None
            else:
                self._owed[scope] = owed | frozenset(documents)
        self._failed(self._reads, error)

    def _pay(self) -> None:
        if not self._owed:
            return
        with self._lock:
            owed = dict(self._owed)
        for scope, documents in owed.items():
            self._tier.delete_scope(scope, documents)
            with self._lock:
                if self._owed.get(scope) == documents:
                    del self._owed[scope]
