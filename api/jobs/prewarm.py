"""Encodes new passages for answers ahead of the first question, as far as the prefix store has room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from api.access.caller import LOCAL
from api.collections.library import Entry
from api.device.networks import Networks, filed_under
from api.errors import JobStopped
from api.jobs.lease import Stop
from context import ContextPassage
from models import Priority
from retrieval import Collection, Passage, Snapshot

_log = structlog.get_logger("excerpta.jobs")


class Warmer:
    """Fills the prefix store, one passage a device call, with lower priority than answers."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def warm(self, entry: Entry, collection: Collection, documents: Sequence[str], stop: Stop) -> int:
        """Encodes and caches the passages of these documents; returns how many.

        Stops when the store is full, and at the first failure: a passage that is not cached now is encoded
        when it is needed. Raises only JobStopped.
        """
        warmed = 0
        largest = 0
        try:
            with collection.snapshot() as snapshot:
                for passage in _passages(snapshot, documents):
                    stop.check()
                    if not self._networks.store.room(largest):
                        _log.info("jobs.prewarm-full", collection=entry.name, warmed=warmed)
                        break
                    before = self._held()
                    self._keep(entry, passage)
                    largest = max(largest, self._held() - before)
                    warmed += 1
        except JobStopped:
            raise
        except Exception as error:
            _log.warning("jobs.prewarm-failed", collection=entry.name, warmed=warmed, error=str(error))
        return warmed

    def _keep(self, entry: Entry, passage: Passage) -> None:
        wanted = ContextPassage(
            title=passage.context,
            text=passage.text,
            document=filed_under(entry.name, passage.document_id),
            salt=LOCAL.salt(entry.id).encode(),
        )
        call = self._networks.device.submit(self._networks.keep_passage, wanted, priority=Priority.BATCH)
        call.result()

    def _held(self) -> int:
        return max(tier.bytes for tier in self._networks.store.stats().tiers)


def _passages(snapshot: Snapshot, documents: Sequence[str]) -> Iterator[Passage]:
    selection = snapshot.allowed({"document_id": {"$in": list(documents)}})
    for number in snapshot.numbers(selection):
        yield snapshot.passage(int(number))
