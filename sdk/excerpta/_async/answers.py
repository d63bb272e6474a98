"""A streamed answer: hits first, then text and citations as they are generated."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec

from ..errors import ConnectionFailed, error_from_reply
from ..types import Citation, DeltaEvent, DoneEvent, HitsEvent, StreamEvent, Usage

_EVENTS: dict[str, type[HitsEvent] | type[DeltaEvent] | type[Citation] | type[Usage] | type[DoneEvent]] = {
    "hits": HitsEvent,
    "delta": DeltaEvent,
    "citation": Citation,
    "usage": Usage,
    "done": DoneEvent,
}


class AsyncAnswerStream:
    """Iterate it for typed events. `text`, `hits`, `citations` and `done` collect the events so far."""

    def __init__(self, events: httpx2.EventSource) -> None:
        self._events = events
        self.text = ""
        self.hits: HitsEvent | None = None
        self.citations: list[Citation] = []
        self.done: DoneEvent | None = None

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        async for raw in self._events:
            if raw.event == "error":
                problem = msgspec.json.decode(raw.data)
                raise error_from_reply(int(problem.get("status", 500)), raw.data.encode())
            kind = _EVENTS.get(raw.event)
            if kind is None:
                continue
            event = msgspec.json.decode(raw.data, type=kind)
            self._take(event)
            yield event
            if isinstance(event, DoneEvent):
                return
        raise ConnectionFailed("the stream ended before its last event; what came is in `text`")

    def _take(self, event: StreamEvent) -> None:
        if isinstance(event, HitsEvent):
            self.hits = event
        elif isinstance(event, DeltaEvent):
            self.text += event.text
        elif isinstance(event, Citation):
            self.citations.append(event)
        elif isinstance(event, DoneEvent):
            self.done = event
