"""One worker thread per device, with a bounded number of requests, ordered by priority."""

from __future__ import annotations

import asyncio
import enum
import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any, TypeVar

from base.errors import Overloaded
from models.device import use_available_cores

T = TypeVar("T")

_log = logging.getLogger(__name__)
_MOST_OWED_S = 1.0
_BATCH_WEIGHT = 3
_GIVEN = 3.0
_LEAST_GIVEN_S = 0.05
_PIECE_TOKENS = 256
"""Half a second to a second of reading for the smallest model on two cores or one."""
_here = threading.local()


class Priority(enum.IntEnum):
    """The order of calls: interactive requests first, then jobs."""

    INTERACTIVE = 0
    BATCH = 1


class Executor:
    """Runs calls on one device, one at a time, by priority and then in the order they came.

    A request reserves its places with `admit` before it does anything, so that a full device refuses it at
    once. Its calls are then not counted again. A cancelled call is skipped if it has not started; a running
    one ends when it next breathes. A `patient` call lets other requests' calls go first when it breathes.

    One loop may take turns with the calls: see `attend`.
    """

    def __init__(self, name: str, *, capacity: int = 32, retry_after_s: float = 1.0) -> None:
        if capacity < 1:
            raise ValueError(f"an executor needs at least one place, not {capacity}")
        self.name = name
        self.capacity = capacity
        self.retry_after_s = retry_after_s
        self._changed = threading.Condition()
        self._queue: list[tuple[int, int, _Call]] = []
        self._arrivals = 0
        self._admitted = 0
        self._closed = False
        self._loop: Callable[[], bool] | None = None
        self._looping = False
        self._owed_s = 0.0
        self._since = 0.0
        self._weight = 1
        self._running: _Call | None = None
        self._resumed = 0.0
        self._thread = threading.Thread(target=self._work, name=f"device-{name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Calls that are queued and have not begun."""
        with self._changed:
            return sum(not call.future.cancelled() for _, _, call in self._queue)

    @property
    def admitted(self) -> int:
        """Places that requests hold now, of `capacity`."""
        with self._changed:
            return self._admitted

    @contextmanager
    def admit(self, cost: int = 1) -> Iterator[None]:
        """Holds `cost` places while the request runs; raises Overloaded at once when they are not free.

        A request that costs more than there is runs alone.
        """
        places = min(max(cost, 1), self.capacity)
        with self._changed:
            if self._closed or self._admitted + places > self.capacity:
                raise Overloaded(self.name, self._admitted, self.capacity, self.retry_after_s)
            self._admitted += places
        try:
            yield
        finally:
            with self._changed:
                self._admitted -= places

    async def run(
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        priority: Priority = Priority.INTERACTIVE,
        patient: bool = False,
        **kwargs: Any,
    ) -> T:
        """Calls `fn(*args, **kwargs)` on the device's thread and waits without blocking the event loop.

        A call that may take long and holds nothing that others wait for is `patient`.
        """
        call = self._queued(_Call(fn, args, kwargs, patient=patient), priority)
        try:
            return await asyncio.wrap_future(call.future)
        except asyncio.CancelledError:
            call.abandoned = True
            raise

    def submit(
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        priority: Priority = Priority.BATCH,
        **kwargs: Any,
    ) -> Future[T]:
        """Queues `fn(*args, **kwargs)`; for other threads. Raises RuntimeError after `close`.

        Never wait for the result on the device's own thread: it cannot run there until you return.
        """
        return self._queued(_Call(fn, args, kwargs), priority).future

    def _queued(self, call: _Call, priority: Priority) -> _Call:
        with self._changed:
            if self._closed:
                raise RuntimeError(f"the executor of {self.name} is closed")
            self._arrivals += 1
            heapq.heappush(self._queue, (int(priority), self._arrivals, call))
            self._changed.notify()
        return call

    def attend(self, loop: Callable[[], bool]) -> None:
        """Has `loop` called again and again from now on, on the device's thread, until it returns False.

        Calls and the loop get about the same time: after a call the loop runs for as long as that took
        (three times as long after a job's), but not much longer than a second. Long work reads in pieces
        of `piece` tokens and calls `breathe` between them, so the loop waits for about one piece at most.
        There is one loop; call this again once it has ended.
        """
        with self._changed:
            if self._loop is not None and self._loop != loop:
                raise RuntimeError(f"the executor of {self.name} has a loop already")
            self._loop = loop
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Refuses new calls, cancels those not begun, and waits at most `timeout_s` for the running one."""
        with self._changed:
            self._closed = True
            abandoned, self._queue = self._queue, []
            self._changed.notify_all()
        for _, _, call in abandoned:
            call.future.cancel()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        use_available_cores()
        _here.executor = self
        while (next_call := self._next()) is not None:
            priority, _, call = next_call
            self._weight = _BATCH_WEIGHT if priority == Priority.BATCH else 1
            self._since = self._resumed = time.monotonic()
            self._running = call
            call()
            self._running = None
            del call, next_call  # its result may be large; nobody is served by keeping it until the next call
            self._take_turns()

    def _next(self) -> tuple[int, int, _Call] | None:
        while True:
            with self._changed:
                while not self._queue and self._loop is None:
                    if self._closed:
                        return None
                    self._changed.wait()
                if self._closed and not self._queue:
                    return None
                if self._queue:
                    return heapq.heappop(self._queue)
            self._run_loop()

    def _take_turns(self) -> None:
        """Lets the loop run for as long as the calls have kept it waiting."""
        if self._loop is None or self._looping:
            return
        waited_s = (time.monotonic() - self._since) * self._weight
        self._owed_s = min(self._owed_s + waited_s, _MOST_OWED_S)
        while self._owed_s > 0 and self._loop is not None:
            self._owed_s -= self._run_loop()
        self._since = time.monotonic()

    def _breathe(self) -> None:
        """Ends the running call if nobody waits for it any more; lets others go first if it is patient."""
        call = self._running
        if call is None or self._looping:
            return
        if call.abandoned:
            raise CancelledError
        if not call.patient:
            return
        # However many come, the patient call keeps a part of the time.
        until = time.monotonic() + max(_LEAST_GIVEN_S, _GIVEN * (time.monotonic() - self._resumed))
        while time.monotonic() < until and (other := self._impatient()) is not None:
            self._running = other
            try:
                other()
            finally:
                self._running = call
        self._resumed = time.monotonic()

    def _impatient(self) -> _Call | None:
        """The next call of a request that is not patient, taken from the queue."""
        with self._changed:
            found = [one for one in self._queue if one[0] == Priority.INTERACTIVE and not one[2].patient]
            if not found:
                return None
            first = min(found)
            self._queue.remove(first)
            heapq.heapify(self._queue)
            return first[2]

    def _run_loop(self) -> float:
        """One turn of the loop; returns its seconds."""
        began = time.monotonic()
        self._looping = True
        loop = self._loop
        goes_on = False
        try:
            goes_on = loop is not None and loop()
        except Exception:
            _log.exception("the loop on %s failed and has ended", self.name)
        finally:
            self._looping = False
        if not goes_on:
            with self._changed:
                self._loop = None
                self._owed_s = 0.0
        return time.monotonic() - began


def breathe() -> None:
    """Long work calls this between its pieces: on a device's thread, a loop that waits gets a turn.

    Raises CancelledError (of `concurrent.futures`) where nobody waits for the work any more.
    """
    executor: Executor | None = getattr(_here, "executor", None)
    if executor is not None:
        executor._breathe()
        executor._take_turns()


def piece(most: int) -> int:
    """How many tokens long work should read at once: `most`, or fewer where others may wait meanwhile."""
    executor: Executor | None = getattr(_here, "executor", None)
    if executor is None:
        return most
    running = executor._running
    # A GPU reads thousands of tokens in the time of 256 on a processor.
    patient = running is not None and running.patient and executor.name.startswith("cpu")
    return min(most, _PIECE_TOKENS) if patient or executor._loop is not None else most


class _Call:
    """A queued call and the future of its result. It is `abandoned` when nobody waits for that any more."""

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, patient: bool = False
    ) -> None:
        self.future: Future[Any] = Future()
        self.patient = patient
        self.abandoned = False
        self._fn, self._args, self._kwargs = fn, args, kwargs

    def __call__(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._fn(*self._args, **self._kwargs))
        except BaseException as error:  # whatever it is belongs to the waiter, not to this thread
            self.future.set_exception(error)
