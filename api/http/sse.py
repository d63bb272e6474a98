"""Server-sent events: one struct an event, a comment as keep-alive, and a last event at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec
from excerpta.types import Citation, DeltaEvent, DoneEvent, HitsEvent, Usage

from api.errors import ShuttingDown
from api.http.problems import document

T = TypeVar("T")
Event: TypeAlias = tuple[str, object]
_NAMES: dict[type[object], str] = {
    HitsEvent: "hits",
    DeltaEvent: "delta",
    Citation: "citation",
    Usage: "usage",
    DoneEvent: "done",
}
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_KEEP_ALIVE = b": still here\n\n"
_CLOSING: set[asyncio.Future[None]] = set()


def encode(name: str, value: object) -> bytes:
    r"""One event as it is sent.

    >>> encode("delta", {"text": "a\nb"})
    b'event: delta\ndata: {"text":"a\\nb"}\n\n'
    """
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


def named(event: object) -> bytes:
    """An event of a query under the name of its type; a pair is a name and a value."""
    return encode(*event) if isinstance(event, tuple) else encode(_NAMES[type(event)], event)


def failed(error: Exception) -> bytes:
    """The event of an error."""
    return encode("error", document(error))


async def stream(
    source: AsyncGenerator[T],
    *,
    first: T | None = None,
    closing: asyncio.Event,
    keep_alive_s: float,
    encoded: Callable[[T], bytes] = named,
    failed: Callable[[Exception], bytes] = failed,
) -> AsyncIterator[bytes]:
    """Encodes `first` and the events of `source`. An error, or a shutdown, becomes the last event.

    `source` is closed when the client disconnects.
    """
    ending: asyncio.Future[Any] = asyncio.ensure_future(closing.wait())
    following: asyncio.Future[Any] = asyncio.ensure_future(anext(source))
    try:
        if first is not None:
            yield encoded(first)
        while True:
            await asyncio.wait({following, ending}, timeout=keep_alive_s, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                event = following.result()
                following = asyncio.ensure_future(anext(source))
                yield encoded(event)
            elif ending.done():
                raise ShuttingDown
            else:
                yield _KEEP_ALIVE
    except StopAsyncIteration:
        return
    except Exception as error:
        yield failed(error)
    finally:
        # Nothing is awaited here: a reader that went away cancels every await.
        ending.cancel()
        following.cancel()
        following.add_done_callback(partial(_close, source))


def _close(source: AsyncGenerator[Any], following: asyncio.Future[Any]) -> None:
    if not following.cancelled():
        following.exception()
    closing = asyncio.ensure_future(source.aclose())
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)
