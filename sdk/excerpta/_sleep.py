"""Sleep functions of the async and the sync client."""

from __future__ import annotations

import asyncio
import time


async def async_sleep(seconds: float) -> None:
    """Waits without holding the event loop."""
    await asyncio.sleep(seconds)


def sleep(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)
