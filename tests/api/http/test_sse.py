"""Event streams: events, keep-alive comments, errors, and their end."""

import asyncio

from api.errors import (
    ShuttingDown,
    UnknownPlan,
)
from api.http import sse


async def drained(source, closing=None, keep_alive_s=5.0):
    return [
        chunk
        async for chunk in sse.stream(source, closing=closing or asyncio.Event(), keep_alive_s=keep_alive_s)
    ]


async def test_events_comments_errors_and_the_end():
    async def source():
        yield "one", {"n": 1}
        await asyncio.sleep(0.12)
        yield "two", {"text": "line\nline"}

    chunks = await drained(source(), keep_alive_s=0.05)
    assert chunks[0] == b'event: one\ndata: {"n":1}\n\n'
    assert chunks[1:-1] == [b": still here\n\n"] * len(chunks[1:-1])
    assert len(chunks) >= 3
    assert chunks[-1] == b'event: two\ndata: {"text":"line\\nline"}\n\n'

    async def failing():
        yield "one", {}
        raise UnknownPlan("x", ["y"])

    chunks = await drained(failing())
    assert chunks[-1].startswith(b"event: error\n")
    assert b"/problems/unknown-plan" in chunks[-1]


async def test_a_stream_ends_with_the_service_and_with_its_reader():
    closed = asyncio.Event()

    async def endless():
        try:
            yield "one", {}
            await asyncio.sleep(100)
        finally:
            closed.set()

    closing = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, closing.set)
    chunks = await drained(endless(), closing)
    assert ShuttingDown().args[0].encode() in chunks[-1]
    await asyncio.wait_for(closed.wait(), 1)

    closed.clear()
    stream = sse.stream(endless(), closing=asyncio.Event(), keep_alive_s=5)
    await anext(stream)
    await stream.aclose()
    await asyncio.wait_for(closed.wait(), 1)
