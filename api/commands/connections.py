"""Connections of the server: a cap on their number, and deadlines for what a client has to send."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.settings import Settings

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """One connection. A client has `head_s` for the head of its first request, and of each one it begins."""

    most: ClassVar[int] = 1000
    head_s: ClassVar[float] = 10.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Takes the connection, or answers 503 where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(_FULL)
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The time no longer matters."""
        self._came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._came()
        super().on_headers_complete()

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_s, self._refuse, _LATE)

    def _came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)
            self.transport.close()


def bounded(settings: Settings) -> type[Connection]:
    """The connections of a server with these settings."""
    return type(
        "BoundedConnection",
        (Connection,),
        {"most": settings.max_connections, "head_s": settings.head_timeout_s},
    )


class BodyDeadline(ASGIMiddleware):
    """Ends a request whose body makes a pause of more than `seconds` with a 408."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Passes the request on with its body watched; what comes after the body may take its time."""
        more = True

        async def watched() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal more
            if not more:
                return await receive()
            try:
                async with asyncio.timeout(self._seconds):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    f"no more of the body came within {self._seconds:g} s; send it again", status_code=408
                ) from None
            more = message["type"] == "http.request" and bool(message.get("more_body"))
            return message

        await next_app(scope, watched, send)
