"""A loop beside the calls: it takes turns with them, inside long ones too, and starves nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from models.executor import Executor, Priority, breathe, piece


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = Executor("turns", capacity=3)
    yield executor
    executor.close(5)


class Loop:
    """Runs until told to end, `step_s` a turn; says who ran when."""

    def __init__(self, log: list[str], step_s: float = 0.0) -> None:
        self.log, self.step_s = log, step_s
        self.turns, self.ends = 0, False
        self.turned, self.over = threading.Event(), threading.Event()

    def __call__(self) -> bool:
        time.sleep(self.step_s)
        self.turns += 1
        self.log.append("loop")
        self.turned.set()
        if self.ends:
            self.over.set()
        return not self.ends


def test_a_loop_runs_until_it_ends_and_can_begin_again(executor: Executor) -> None:
    for _ in range(2):
        loop = Loop([])
        executor.attend(loop)
        assert loop.turned.wait(5)
        loop.ends = True
        assert loop.over.wait(5)
        executor.submit(lambda: None).result(5)
        turns = loop.turns
        time.sleep(0.02)
        assert loop.turns == turns


def test_calls_and_the_loop_get_about_the_same_time(executor: Executor) -> None:
    log: list[str] = []
    loop = Loop(log, 0.01)
    executor.attend(loop)

    def call() -> None:
        time.sleep(0.01)
        log.append("call")

    futures = [executor.submit(call, priority=Priority.INTERACTIVE) for _ in range(30)]
    for future in futures:
        future.result(10)
    shared = log[log.index("call") : len(log) - log[::-1].index("call")]
    assert 10 <= shared.count("loop") <= 90, "as much time for one as for the other, on a busy machine too"
    loop.ends = True


def test_short_calls_pass_between_long_turns(executor: Executor) -> None:
    log: list[str] = []
    loop = Loop(log, 0.1)
    executor.attend(loop)
    assert loop.turned.wait(5)
    futures = [executor.submit(log.append, "call", priority=Priority.INTERACTIVE) for _ in range(50)]
    began = loop.turns
    for future in futures:
        future.result(10)
    assert loop.turns - began <= 3
    loop.ends = True


def test_long_work_lets_the_loop_in_and_reads_less_at_once(executor: Executor) -> None:
    log: list[str] = []
    loop = Loop(log)

    def work() -> tuple[int, int]:
        before = piece(4096)
        executor.attend(loop)
        for _ in range(5):
            time.sleep(0.01)
            log.append("piece")
            breathe()
        return before, piece(4096)

    assert executor.submit(work).result(5) == (4096, 256)
    assert log.count("piece") == 5
    assert log.index("loop") < 4, "the loop ran inside the call"
    loop.ends = True
    executor.submit(lambda: None).result(5)
    assert executor.submit(piece, 4096).result(5) == 4096
    assert piece(4096) == 4096
    breathe()  # elsewhere it is nothing


def test_a_loop_does_not_run_inside_itself(executor: Executor) -> None:
    depths: list[int] = []
    depth = 0

    def loop() -> bool:
        nonlocal depth
        depth += 1
        depths.append(depth)
        time.sleep(0.001)
        breathe()
        depth -= 1
        return len(depths) < 5

    executor.attend(loop)
    while len(depths) < 5:
        time.sleep(0.001)
    assert depths == [1] * 5


def test_a_loop_that_fails_ends_and_calls_go_on(executor: Executor) -> None:
    ran = threading.Event()

    def loop() -> bool:
        ran.set()
        raise ValueError

    executor.attend(loop)
    assert ran.wait(5)  # what is submitted now runs after the loop, on the same thread
    assert executor.submit(int, "7").result(5) == 7
    executor.attend(Loop([]))  # there is room for another


def test_there_is_one_loop(executor: Executor) -> None:
    loop = Loop([], 0.01)
    executor.attend(loop)
    executor.attend(loop)
    with pytest.raises(RuntimeError, match="a loop already"):
        executor.attend(Loop([]))


def test_closing_does_not_wait_for_a_loop_to_end() -> None:
    executor = Executor("closing")
    executor.attend(Loop([], 0.01))
    executor.close(5)
    assert not executor._thread.is_alive()
