"""Merges segments in low-priority threads while the service runs, so that their number stays small."""

from __future__ import annotations

import threading
import time

import structlog

from api.collections.library import Library
from base.errors import ExcerptaError
from retrieval import Collection
from retrieval.collections.merge_policy import yield_to_others

_log = structlog.get_logger("excerpta.merging")
_LOOKS_EVERY_S = 1.0
_WORKS_AT_ONCE_S = 0.02
_QUICK = 65_536
"""Passages that can be merged while larger merges, which may take hours, are under way."""


class _Ending(Exception):
    """The service ends: the merge in hand is given up."""


class Merger:
    """Merges segments of open collections with `share` of a core. Small merges do not wait for large ones."""

    def __init__(self, library: Library, *, share: float) -> None:
        self._library = library
        self._share = share
        self._ending = threading.Event()
        self._merging: set[int] = set()
        self._threads = [
            threading.Thread(target=self._run, args=(budget,), name="merging", daemon=True)
            for budget in (None, _QUICK)
        ]

    def start(self) -> None:
        """Begins to look for work."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> None:
        """Abandons the running merges. They leave nothing behind and start again with the service."""
        self._ending.set()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, budget: int | None) -> None:
        yield_to_others()
        while not self._ending.wait(_LOOKS_EVERY_S):
            for collection in self._library.opened():
                try:
                    while self._merge(collection, budget):
                        pass
                except _Ending:
                    return
                except (ExcerptaError, OSError) as error:
                    # Deleted meanwhile, or damaged: who asks it next is told.
                    _log.warning("merging.failed", collection=collection.path.name, error=str(error))
                except Exception:
                    _log.exception("merging.failed", collection=collection.path.name)

    def _merge(self, collection: Collection, budget: int | None) -> bool:
        """Does one merge, slowly; whether there was one to do."""
        began, used = time.monotonic(), time.thread_time()
        pace = _Pace(self)
        self._merging.add(threading.get_ident())
        try:
            merged = collection.merge(budget=budget, pause=pace)
            pace(least_s=0.0)
        finally:
            self._merging.discard(threading.get_ident())
        if merged:
            took, used = round(time.monotonic() - began, 2), round(time.thread_time() - used, 2)
            _log.info("merging.done", collection=collection.path.name, s=took, cpu_s=used)
        return merged

    def rest(self, worked_s: float) -> None:
        """Sleeps until this thread is within its share of the core. Raises _Ending."""
        part = self._share / max(1, len(self._merging))
        if self._ending.wait(worked_s * (1 / part - 1)):
            raise _Ending


class _Pace:
    """Called while a merge goes on: makes it rest after it has worked for a moment."""

    def __init__(self, merger: Merger) -> None:
        self._merger = merger
        self._rested = time.thread_time()

    def __call__(self, least_s: float = _WORKS_AT_ONCE_S) -> None:
        worked = time.thread_time() - self._rested
        if worked >= least_s:
            self._merger.rest(worked)
            self._rested = time.thread_time()
