"""The trace of one query: milliseconds by stage, warnings, and the time left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from models import Executor

P = ParamSpec("P")
T = TypeVar("T")


class Trace:
    """Timings, warnings and the deadline of one query. `partial` is set when a stage ran out of time.

    `notes` say, by stage, why something was done or left out.
    """

    def __init__(self, *, timeout_s: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.began = clock()
        self.deadline = self.began + timeout_s
        self.timings: dict[str, float] = {"queue": 0.0}
        self.warnings: list[str] = []
        self.notes: dict[str, str] = {}
        self.partial = False

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; 0 when it has passed."""
        return max(0.0, self.deadline - self._clock())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the block's duration to the stage."""
        began = self._clock()
        try:
            yield
        finally:
            self._add(name, self._clock() - began)

    async def within(self, what: str, work: Awaitable[T], otherwise: T) -> T:
        """The work's result, or `otherwise` and a warning that names `what` if time runs out."""
        try:
            return await asyncio.wait_for(work, self.left_s)
        except TimeoutError:
            self.partial = True
            self.warnings.append(f"{what} was cut short: timeout_ms ran out")
            return otherwise

    async def on(self, device: Executor, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls on the device, ahead of jobs; the time until it begins counts as `queue`."""
        return await device.run(self.queued(call, *args, **kwargs))

    def queued(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """The call with its arguments; from now until it begins counts as `queue`."""
        asked = self._clock()

        def begin() -> T:
            self._add("queue", self._clock() - asked)
            return call(*args, **kwargs)

        return begin

    def mark(self, name: str) -> None:
        """Sets a timing to the time since the query began."""
        self.timings[name] = (self._clock() - self.began) * 1000

    def finish(self) -> dict[str, float]:
        """All timings in milliseconds, rounded, with the total."""
        self.mark("total")
        return {name: round(value, 3) for name, value in self.timings.items()}

    def _add(self, name: str, seconds: float) -> None:
        self.timings[name] = self.timings.get(name, 0.0) + seconds * 1000


def server_timing(timings: dict[str, float]) -> str:
    """The timings as a Server-Timing header.

    >>> server_timing({"fuse": 0.25, "total": 12.0})
    'fuse;dur=0.25, total;dur=12.0'
    """
    return ", ".join(f"{name};dur={value}" for name, value in timings.items())
