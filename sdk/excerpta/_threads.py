"""Running slow calls: beside the event loop for the async client, in place for the sync one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def async_in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's result; the event loop goes on meanwhile."""
    return await asyncio.to_thread(call, *args, **kwargs)


def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's result."""
    return call(*args, **kwargs)
