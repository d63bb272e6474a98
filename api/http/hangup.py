"""Ends work whose client has hung up, and work that is still running when the service ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar import Request
from litestar.exceptions import HTTPException

from api.errors import ShuttingDown

T = TypeVar("T")
_GRACE = 0.25
_LEAST_WAIT_S = 0.1


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """The work's result; the work is cancelled when the client hangs up, or when the service ends.

    Raises ShuttingDown for the latter, after a quarter of the time that the service's end may take.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_hung_up(request))
    ending = asyncio.create_task(_ends(request))
    try:
        await asyncio.wait({task, gone, ending}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if ending.done():
            raise ShuttingDown
        raise HTTPException("the client has hung up", status_code=499)
    finally:
        gone.cancel()
        ending.cancel()
        if not task.done():
            task.cancel()
            # On the device it ends at its next piece; a reply at the service's end does not wait for that.
            await asyncio.wait({task}, timeout=_LEAST_WAIT_S if ending.done() else None)


async def _ends(request: Request[Any, Any, Any]) -> None:
    service = request.app.state.service
    await service.closing.wait()
    await asyncio.sleep(service.deadline.share(_GRACE))


async def _hung_up(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
