"""No test of the fast run opens a network socket or starts a process: a pytest plugin."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
_CONNECTS = {"socket.connect", "socket.bind"}
_guarded = False


class NotInThisRun(RuntimeError):
    """A test of the fast run used a socket or another process."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded:
        return
    if event in _STARTS or (event in _CONNECTS and arguments[0].family != socket.AF_UNIX):
        raise NotInThisRun(f"{event}: mark this test with `pytest.mark.process`")


def pytest_configure() -> None:
    """An audit hook sees every socket and process of the interpreter; it cannot be taken off again."""
    sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Guards a test of the fast run and the fixtures that it sets up."""
    global _guarded
    _guarded = not any(item.get_closest_marker(name) for name in ("process", "model", "long"))
    try:
        return (yield)
    finally:
        _guarded = False
