"""Single flight: what several requests need at once is made once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeAlias

from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock

Flight: TypeAlias = "Future[StoredBlock | None]"


class Flights:
    """Who is making which block right now.

    Whoever claims keys makes or abandons all of them before waiting for anybody else's, so no two
    requests can wait for each other.
    """

    def __init__(self) -> None:
        self._flights: dict[BlockKey, Flight] = {}
        self._lock = threading.Lock()

    def claim(self, keys: Sequence[BlockKey]) -> tuple[list[BlockKey], dict[BlockKey, Flight]]:
        """The keys that now are the caller's to make, and the flights of those that others are making."""
        mine: list[BlockKey] = []
        others: dict[BlockKey, Flight] = {}
        with self._lock:
            for key in keys:
                if key in self._flights:
                    others[key] = self._flights[key]
                else:
                    self._flights[key] = Future()
                    mine.append(key)
        return mine, others

    def land(self, key: BlockKey, block: StoredBlock | None) -> None:
        """Ends a flight; with None it failed, and those who wait have to make the block themselves."""
        with self._lock:
            flight = self._flights.pop(key)
        flight.set_result(block)
