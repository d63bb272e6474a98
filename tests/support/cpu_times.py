"""CPU seconds of tests, their child processes included: `pytest -p tests.support.cpu_times`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

_files: Counter[str] = Counter()
_tests: Counter[str] = Counter()
_SHOWN = 40


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Counts what a test, its fixtures and the processes it waited for have used."""
    before = _cpu_seconds()
    try:
        return (yield)
    finally:
        used = _cpu_seconds() - before
        _tests[item.nodeid] += used
        _files[item.nodeid.partition("::")[0]] += used


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the most expensive files and tests, and the whole process."""
    for title, counted in (("file", _files), ("test", _tests)):
        terminalreporter.section(f"CPU seconds by {title}")
        for name, seconds in counted.most_common(_SHOWN):
            terminalreporter.write_line(f"{seconds:8.2f}  {name}")
    terminalreporter.write_line(f"{_cpu_seconds():8.2f}  in all, imports and collection included")
