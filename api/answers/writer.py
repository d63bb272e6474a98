"""The interface between the writer of an answer and the query that streams it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from api.answers.request import AnswerRequest
from api.telemetry.trace import Trace
from base.errors import Overloaded
from context import ReadingNotes, TokenUsage


class AnswerStream(Protocol):
    """One answer that is being written."""

    @property
    def notes(self) -> ReadingNotes | None:
        """Notes on how the prompt was read, if the writer has any."""

    @property
    def usage(self) -> TokenUsage:
        """Tokens read and written so far."""

    @property
    def cut(self) -> bool:
        """Whether the answer ended at its limit of tokens."""

    async def next(self) -> str | None:
        """The next piece of text; "" first, when the prompt has been read, and None at the end.

        Raises what went wrong.
        """

    def cancel(self) -> None:
        """Stops the generation. The caller that opened the answer always calls it at the end."""


class Writer(Protocol):
    """Generates answers: on this service's device, or by a remote service."""

    def admit(self, tokens: int) -> AbstractContextManager[None]:
        """Holds so many tokens of the queue; raises Overloaded at once where they are not free."""

    def write(self, task: AnswerRequest, trace: Trace) -> AnswerStream:
        """Begins an answer, now or when there is room."""


class PieceQueue:
    """A queue of the pieces of one answer. The last item is None, or an error."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self._last: tuple[Exception | None] | None = None

    def tell(self, piece: str | Exception | None) -> None:
        """Adds a piece, or the end."""
        self._pieces.put_nowait(piece)

    async def next(self) -> str | None:
        """The next piece; None at the end and after it. Raises the error of the answer."""
        if self._last is None:
            piece = await self._pieces.get()
            if isinstance(piece, str):
                return piece
            self._last = (piece,)
        if self._last[0] is not None:
            raise self._last[0]
        return None


class TokenAdmission:
    """Admits answers while they have at most `capacity` tokens together. A larger one is admitted alone."""

    def __init__(self, name: str, capacity: int, retry_after_s: float = 1.0) -> None:
        self._name, self._capacity, self._retry_after_s = name, capacity, retry_after_s
        self.admitted = 0

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Holds so many tokens; raises Overloaded at once where they are not free."""
        if self.admitted and self.admitted + tokens > self._capacity:
            raise Overloaded(f"{self._name} (in tokens)", self.admitted, self._capacity, self._retry_after_s)
        self.admitted += tokens
        try:
            yield
        finally:
            self.admitted -= tokens
