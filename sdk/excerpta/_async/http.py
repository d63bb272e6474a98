"""One place for HTTP: encoding, retries, deadlines, and problems turned into errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
import msgspec

from .._retry import RETRIED_STATUSES, Deadline, RetryPolicy
from .._sleep import async_sleep
from ..errors import ConnectionFailed, ExcerptaError, TimedOut, error_from_reply

T = TypeVar("T")


class AsyncHttp:
    """Sends msgspec structs, returns msgspec structs."""

    def __init__(self, client: httpx2.AsyncClient, *, timeout: float, retry: RetryPolicy) -> None:
        self._client = client
        self._timeout = timeout
        self._retry = retry

    @property
    def client(self) -> httpx2.AsyncClient:
        """What sends the requests."""
        return self._client

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def call(
        self,
        reply: type[T],
        method: str,
        path: str,
        *,
        body: object = None,
        retry: bool = False,
        **options: Any,
    ) -> T:
        """The reply to one request. `retry`: whether it is safe to send it twice."""
        response = await self._send(method, path, body=body, retry=retry, **options)
        try:
            return msgspec.json.decode(response.content, type=reply)
        except msgspec.DecodeError as error:
            raise ExcerptaError(
                f"{method} {path}: the reply is not what this client knows: {error}"
            ) from error

    @asynccontextmanager
    async def events(
        self, method: str, path: str, *, body: object = None
    ) -> AsyncIterator[httpx2.EventSource]:
        """The server-sent events of one request; leaving the block closes the stream."""
        headers, content = _encode(body)
        headers["Accept"] = "text/event-stream"
        try:
            async with self._client.stream(
                method, path, content=content, headers=headers, timeout=self._timeout
            ) as response:
                if response.status_code >= 400:
                    raise error_from_reply(response.status_code, await response.aread())
                yield httpx2.EventSource(response)
        except httpx2.TransportError as error:
            raise _explain(error, method, path) from error

    async def _send(
        self, method: str, path: str, *, body: object, retry: bool, **options: Any
    ) -> httpx2.Response:
        headers, content = _encode(body)
        headers.update(options.pop("headers", {}))
        if content is not None:
            options["content"] = content
        deadline = Deadline(self._timeout)
        attempt = 0
        while True:
            last = not retry or attempt >= self._retry.retries
            retry_after = None
            try:
                response = await self._client.request(
                    method, path, headers=headers, timeout=max(0.001, deadline.left()), **options
                )
                if response.status_code < 400:
                    return response
                if last or response.status_code not in RETRIED_STATUSES:
                    raise error_from_reply(response.status_code, response.content)
                retry_after = response.headers.get("retry-after")
            except httpx2.TransportError as error:
                if last or deadline.left() <= 0:
                    raise _explain(error, method, path) from error
            delay = self._retry.delay(attempt, retry_after)
            if delay >= deadline.left():
                raise TimedOut(f"{method} {path}: no reply within {self._timeout:.0f} s, retries included")
            await async_sleep(delay)
            attempt += 1


def _encode(body: object) -> tuple[dict[str, str], bytes | None]:
    if body is None:
        return {}, None
    return {"Content-Type": "application/json"}, msgspec.json.encode(body)


def _explain(error: httpx2.TransportError, method: str, path: str) -> ExcerptaError:
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(f"{method} {path}: the server did not answer in time")
    return ConnectionFailed(f"{method} {path}: {error or type(error).__name__}. Is the server running?")
