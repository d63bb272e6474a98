"""Single flight: a block that several requests need at once is encoded once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeAlias

from context.prefix_store.key import BlockKey
from context.prefix_store.stored import StoredBlock

Flight: TypeAlias = "Future[StoredBlock | None]"


class Flights:
    """The blocks that are being encoded right now.

    A request that claims keys encodes or abandons all of them before it waits for another request's. So two
    requests never wait for each other.
    """

    def __init__(self) -> None:
        self._flights: dict[BlockKey, Flight] = {}
        self._lock = threading.Lock()

    def claim(self, keys: Sequence[BlockKey]) -> tuple[list[BlockKey], dict[BlockKey, Flight]]:
        """The keys that the caller must encode, and the flights of those that other requests encode."""
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
        """Ends a flight. None means failure: the waiting requests encode the block themselves."""
        with self._lock:
            flight = self._flights.pop(key)
        flight.set_result(block)
