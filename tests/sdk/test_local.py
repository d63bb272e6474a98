"""The in-process transport: streams stay streams, hanging up is seen, a failed start is explained."""

import asyncio
import threading
import time

import httpx2
import pytest
from excerpta import ExcerptaError
from excerpta._local import Lifespan, LocalServer


class App:
    """A small ASGI application that streams slowly and remembers what it saw."""

    def __init__(self):
        self.gone = threading.Event()
        self.events = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                self.events.append(message["type"])
                await send({"type": message["type"] + ".complete"})
                if message["type"].endswith("shutdown"):
                    return
        if scope["path"] == "/fail":
            raise RuntimeError("broken")
        body = (await receive())["body"]
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-length", b"%d" % len(body))]}
        )
        if scope["path"] == "/endless":
            watcher = asyncio.ensure_future(receive())
            while not watcher.done():
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
                await asyncio.sleep(0.01)
            self.gone.set()
            return
        for part in (b"a", b"b", b"c"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def served():
    app = App()
    server = LocalServer(app)
    server._lifespan = Lifespan(app)
    server.submit(server._lifespan.startup()).result()
    yield app, server
    server.stop()
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


def test_a_stream_arrives_as_it_is_made(served):
    _, server = served
    with httpx2.Client(transport=server.transport(), base_url="http://local") as client:
        began, arrived = time.monotonic(), []
        with client.stream("POST", "/", content=b"hello") as response:
            assert response.headers["x-length"] == "5"
            arrived = [(time.monotonic() - began, part) for part in response.iter_bytes() if part]
    assert [part for _, part in arrived] == [b"a", b"b", b"c"]
    assert arrived[-1][0] - arrived[0][0] > 0.15


def test_hanging_up_reaches_the_application(served):
    app, server = served
    with (
        httpx2.Client(transport=server.transport(), base_url="http://local") as client,
        client.stream("GET", "/endless") as response,
    ):
        next(response.iter_bytes())
    assert app.gone.wait(5)


async def test_the_async_side_streams_too(served):
    _, server = served
    async with httpx2.AsyncClient(transport=server.async_transport(), base_url="http://local") as client:
        async with client.stream("POST", "/", content=b"") as response:
            parts = [part async for part in response.aiter_bytes() if part]
    assert parts == [b"a", b"b", b"c"]


def test_a_failing_application_is_an_error_not_a_hang(served):
    _, server = served
    with httpx2.Client(transport=server.transport(), base_url="http://local") as client:
        with pytest.raises(ExcerptaError, match="broken"):
            client.get("/fail")


def test_a_failed_start_names_its_reason():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    server = LocalServer(app)
    with pytest.raises(ExcerptaError, match="no disk"):
        server.submit(Lifespan(app).startup()).result()
    server._close_loop()


def test_nothing_runs_on_after_the_end():
    left = []

    async def app(scope, receive, send):
        if scope["type"] != "lifespan":
            await asyncio.Event().wait()  # a reply that never comes
        left.append(asyncio.ensure_future(asyncio.sleep(1000)))
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})

    server = LocalServer(app)
    server._lifespan = Lifespan(app)
    server.submit(server._lifespan.startup()).result()
    exchange = server.exchange(httpx2.Request("GET", "http://local/"), b"")
    exchange.next()
    server.stop()
    assert left[0].cancelled()
    assert exchange._task.cancelled()
    assert server._loop.is_closed()
