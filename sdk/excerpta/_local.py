"""Runs the server inside this process. Clients use it as if over HTTP, streams included.

The server runs in an event loop on a thread of its own, so that neither kind of client blocks it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Any, TypeAlias

import httpx2

from .errors import ConnectionFailed, ExcerptaError, ServerNotInstalled

_TASKS_END_S = 10.0

AsgiApp: TypeAlias = Callable[[dict[str, Any], Any, Any], Any]


class LocalServer:
    """One ASGI application with its lifespan, on a loop in a background thread."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="excerpta-local", daemon=True)
        self._thread.start()
        self._lifespan: Lifespan | None = None

    @classmethod
    def start(cls, path: str, profile: str | None) -> LocalServer:
        """Opens the data directory `path` and waits until the server is up."""
        found = [entry for entry in entry_points(group="excerpta.server") if entry.name == "app"]
        if not found:
            raise ServerNotInstalled
        server = cls(found[0].load()(path, profile=profile))
        try:
            server._lifespan = Lifespan(server._app)
            server.submit(server._lifespan.startup()).result()
        except BaseException:
            server._close_loop()
            raise
        return server

    def submit(self, work: Any) -> Future[Any]:
        """Runs a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Shuts the server down: its lifespan ends, then its loop."""
        if self._lifespan is not None:
            self.submit(self._lifespan.shutdown()).result(timeout=60)
            self._lifespan = None
            self._close_loop()

    def _close_loop(self) -> None:
        with suppress(TimeoutError):
            self.submit(_end_tasks()).result(timeout=_TASKS_END_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        if not self._thread.is_alive():
            self._loop.close()

    def transport(self) -> httpx2.BaseTransport:
        """The way in for a sync client."""
        return _Transport(self)

    def async_transport(self) -> httpx2.AsyncBaseTransport:
        """The way in for an async client."""
        return _AsyncTransport(self)

    def exchange(self, request: httpx2.Request, body: bytes) -> Exchange:
        """Starts one request."""
        exchange = Exchange(self, request, body)
        self._loop.call_soon_threadsafe(exchange.begin, self._app)
        return exchange


async def _end_tasks() -> None:
    """Cancels what still runs on the loop, such as replies that nobody reads on, and waits for it."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class Lifespan:
    """Drives an application's start and end."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._app(scope, self._inbox.get, self._outbox.put))
        await self._inbox.put({"type": "lifespan.startup"})
        await self._expect("lifespan.startup.complete")

    async def shutdown(self) -> None:
        await self._inbox.put({"type": "lifespan.shutdown"})
        await self._expect("lifespan.shutdown.complete")

    async def _expect(self, kind: str) -> None:
        assert self._task is not None
        answer = asyncio.ensure_future(self._outbox.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self._task.result()
            raise ExcerptaError("the local server ended before it answered")
        message = answer.result()
        if message["type"] != kind:
            raise ExcerptaError(f"the local server did not start: {message.get('message', message['type'])}")


class Exchange:
    """One request to the application: its messages, from the server's loop to any thread or loop."""

    def __init__(self, server: LocalServer, request: httpx2.Request, body: bytes) -> None:
        self._server = server
        self._request = request
        self._body: bytes | None = body
        self._messages: asyncio.Queue[dict[str, Any] | BaseException | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, app: AsgiApp) -> None:
        url = self._request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "server": (url.host, url.port or 80),
            "client": ("127.0.0.1", 0),
            "state": {},
        }
        self._task = asyncio.ensure_future(self._run(app, scope))

    async def _run(self, app: AsgiApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._messages.put)
            await self._messages.put(None)
        except Exception as error:
            await self._messages.put(error)

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def next(self) -> Future[Any]:
        """The next message; None at the end, an exception where the application failed."""
        return self._server.submit(self._messages.get())

    def hang_up(self) -> None:
        """Notifies the application that the client has disconnected."""
        self._server._loop.call_soon_threadsafe(self._gone.set)


def _message(got: dict[str, Any] | BaseException | None) -> dict[str, Any]:
    if isinstance(got, BaseException):
        raise ConnectionFailed(f"the local server failed: {got!r}") from got
    if got is None:
        raise ConnectionFailed("the local server ended the reply too early")
    return got


def _chunk(message: dict[str, Any]) -> tuple[bytes, bool]:
    return message.get("body", b""), bool(message.get("more_body"))


class _Stream(httpx2.SyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        more = True
        while more:
            body, more = _chunk(_message(self._exchange.next().result()))
            yield body

    def close(self) -> None:
        self._exchange.hang_up()


class _AsyncStream(httpx2.AsyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            body, more = _chunk(_message(await asyncio.wrap_future(self._exchange.next())))
            yield body

    async def aclose(self) -> None:
        self._exchange.hang_up()


class _Transport(httpx2.BaseTransport):
    def __init__(self, server: LocalServer) -> None:
        self._server = server

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = self._server.exchange(request, request.read())
        start = _message(exchange.next().result())
        return httpx2.Response(start["status"], headers=start["headers"], stream=_Stream(exchange))


class _AsyncTransport(httpx2.AsyncBaseTransport):
    def __init__(self, server: LocalServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = self._server.exchange(request, await request.aread())
        start = _message(await asyncio.wrap_future(exchange.next()))
        return httpx2.Response(start["status"], headers=start["headers"], stream=_AsyncStream(exchange))
