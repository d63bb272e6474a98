"""The executor: order, bounds, cancellation, errors, closing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import Overloaded
from models.executor import Executor, Priority, breathe
from tests.support.speeds import examples


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = Executor("test", capacity=3, retry_after_s=2.0)
    yield executor
    executor.close(5)


class Gate:
    """Holds the worker inside a call until opened."""

    def __init__(self, executor: Executor) -> None:
        self._inside, self._open = threading.Event(), threading.Event()
        self.future = executor.submit(self._hold, priority=Priority.INTERACTIVE)
        assert self._inside.wait(5)

    def _hold(self) -> None:
        self._inside.set()
        assert self._open.wait(5)

    def open(self) -> None:
        self._open.set()


async def test_runs_on_one_other_thread(executor: Executor) -> None:
    names = {await executor.run(lambda: threading.current_thread().name) for _ in range(3)}
    assert names == {"device-test"}


async def test_arguments_and_result(executor: Executor) -> None:
    assert await executor.run(divmod, 7, 2) == (3, 1)
    assert await executor.run(int, "ff", base=16) == 255


@given(st.lists(st.sampled_from(list(Priority)), max_size=12))
@settings(max_examples=examples(30))
def test_interactive_first_then_order_of_arrival(priorities: list[Priority]) -> None:
    executor = Executor("order")
    gate = Gate(executor)
    done: list[int] = []
    futures = [executor.submit(done.append, at, priority=p) for at, p in enumerate(priorities)]
    gate.open()
    for future in futures:
        future.result(5)
    executor.close(5)
    assert done == sorted(range(len(priorities)), key=lambda at: (priorities[at], at))


def test_overload_is_immediate_and_says_when_to_come_back(executor: Executor) -> None:
    with executor.admit(2), executor.admit():
        with pytest.raises(Overloaded) as refused, executor.admit():
            pass
        assert refused.value.facts() == {"device": "test", "waiting": 3, "capacity": 3, "retry_after_s": 2.0}
        assert executor.admitted == 3
    with executor.admit(3):
        pass
    assert executor.admitted == 0


def test_places_come_back_after_an_error(executor: Executor) -> None:
    with pytest.raises(KeyError), executor.admit(3):
        raise KeyError
    assert executor.admitted == 0


def test_a_request_larger_than_the_capacity_runs_alone(executor: Executor) -> None:
    with executor.admit(100), pytest.raises(Overloaded), executor.admit():
        pass


async def test_cancelled_work_that_has_not_begun_is_skipped(executor: Executor) -> None:
    gate = Gate(executor)
    ran: list[str] = []
    waiter = asyncio.create_task(executor.run(ran.append, "cancelled"))
    await asyncio.sleep(0)
    assert executor.waiting == 1
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert executor.waiting == 0
    gate.open()
    await executor.run(ran.append, "next")
    assert ran == ["next"]


async def test_cancelling_begun_work_leaves_the_worker_alive(executor: Executor) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        release.wait(5)

    waiter = asyncio.create_task(executor.run(slow))
    await asyncio.to_thread(entered.wait, 5)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    release.set()
    assert await executor.run(len, "abc") == 3


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_every_error_reaches_the_waiter_and_not_the_worker(executor: Executor, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        executor.submit(fail).result(5)
    assert executor.submit(len, "ab").result(5) == 2


def test_close_cancels_what_waits_and_finishes_what_runs() -> None:
    executor = Executor("closing")
    gate = Gate(executor)
    queued = executor.submit(len, "abc")
    closer = threading.Thread(target=executor.close, args=(5,))
    closer.start()
    while not queued.done():
        closer.join(0.01)
    gate.open()
    closer.join(5)
    assert queued.cancelled()
    assert gate.future.result(0) is None
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(len, "a")
    with pytest.raises(Overloaded), executor.admit():
        pass
    executor.close(1)


def test_close_gives_up_on_a_call_that_does_not_end() -> None:
    executor = Executor("stuck")
    gate = Gate(executor)
    executor.close(0.01)
    assert not gate.future.done()
    gate.open()
    gate.future.result(5)


def test_an_executor_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one place"):
        Executor("none", capacity=0)


async def test_many_waiters(executor: Executor) -> None:
    results = await asyncio.gather(*(executor.run(abs, -n) for n in range(200)))
    assert results == list(range(200))
    assert executor.waiting == 0


async def test_work_that_nobody_waits_for_ends_when_it_breathes(executor: Executor) -> None:
    began, ended = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        try:
            while True:
                breathe()
                time.sleep(0.005)
        finally:
            ended.set()

    waiter = asyncio.create_task(executor.run(work))
    await asyncio.to_thread(began.wait, 5)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    assert await asyncio.to_thread(ended.wait, 5)
    assert await executor.run(lambda: 1) == 1


async def test_patient_work_lets_others_go_first_and_keeps_a_part_of_the_time(executor: Executor) -> None:
    order: list[str] = []
    steps = 0

    def work() -> int:
        nonlocal steps
        while len(order) < 20:
            breathe()
            steps += 1
            time.sleep(0.01)
        return steps

    patient = asyncio.create_task(executor.run(work, patient=True))
    await asyncio.sleep(0.05)
    other = asyncio.create_task(executor.run(order.append, "patient", patient=True))
    for count in range(20):
        await executor.run(order.append, str(count))
        assert not other.done()
    assert await patient > 0
    await other
    assert order == [*map(str, range(20)), "patient"]
