"""How far the reading of a file is, for whoever listens: pages of a long PDF take minutes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeAlias

Listener: TypeAlias = Callable[[int, int], None]
"""Takes the pages that are read, and how many there are."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def listen(listener: Listener | None) -> None:
    """From now on `listener` is told the pages that are read in this thread; None for nobody."""
    _LISTENER.set(listener)


def page_read(number: int, count: int) -> None:
    """Says that page `number` of `count` is read."""
    if listener := _LISTENER.get():
        listener(number, count)
