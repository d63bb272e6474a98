"""Answers on this service's own device: admitted by their tokens, begun in order, heard piece by piece."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from api.errors import ShuttingDown
from api.networks import Networks
from api.plans import Plan
from context import Generation, ReadingNotes, Row, Scheduler, TokenUsage
from models import Executor, Priority
from models.errors import Overloaded

Start: TypeAlias = Callable[[], Generation]
"""Reads the prompt, on the device's thread."""

_NOTHING = TokenUsage(0, 0, 0, 0)


_CHARACTERS = 3


def tokens_of(text: str) -> int:
    """About how many tokens a text has, rather too many than too few; exact counts would need the device.

    >>> tokens_of("No dogs.")
    3
    """
    return -(-len(text) // _CHARACTERS)


def tokens_asked(plan: Plan, passage_tokens: int) -> int:
    """How many tokens an answer by this plan reads and writes at most; 0 without an answer.

    `passage_tokens` is the size that a passage has.
    """
    if plan.answer is None:
        return 0
    whole = plan.context.passages * passage_tokens
    read = whole if plan.compress is None else min(plan.compress.target_tokens, whole)
    return read + plan.answer.max_tokens


class _End:
    """An answer's last word."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class AnswerStream:
    """One answer as its reader hears it. The device calls `began`, `said` and `ended`, the reader the rest.

    Whoever opened it calls `cancel` in the end, whatever happened: then the answer is written no further.
    """

    def __init__(self, answers: Answers, start: Start, tokens: int) -> None:
        self.start = start
        self.tokens = tokens
        self.gone = threading.Event()
        self.notes: ReadingNotes | None = None
        self._row: Row | None = None
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[str | _End] = asyncio.Queue()
        self._last: _End | None = None

    @property
    def usage(self) -> TokenUsage:
        """Tokens read and written so far."""
        return _NOTHING if self._row is None else self._row.usage

    @property
    def cut(self) -> bool:
        """Whether the answer ended at its limit of tokens."""
        return self._row is not None and self._row.finish_reason == "length"

    async def next(self) -> str | None:
        """The next piece of text; "" first, when the prompt has been read, and None at the end.

        Raises what went wrong.
        """
        if self._last is None:
            heard = await self._heard.get()
            if isinstance(heard, str):
                return heard
            self._last = heard
        if self._last.error is not None:
            raise self._last.error
        return None

    def cancel(self) -> None:
        """Says that nobody listens any more."""
        self.gone.set()
        self._answers.give_up(self)

    def began(self, row: Row) -> None:
        """Says that the prompt has been read."""
        self._row = row
        self._tell("")

    def said(self, text: str) -> None:
        """Passes a piece of text on."""
        self._tell(text)

    def ended(self, error: Exception | None) -> None:
        """Passes the last word on, and gives the place back."""
        self._tell(_End(error))
        self._loop.call_soon_threadsafe(self._answers.leave, self)

    def _tell(self, heard: str | _End) -> None:
        self._loop.call_soon_threadsafe(self._heard.put_nowait, heard)


class Answers:
    """The answers of one device: `rows` are written at once, of at most `tokens` tokens together.

    All that were admitted, waiting ones too, have at most `queue_tokens`. An answer that is longer than a
    bound has the device to itself. Everything here runs in the event loop but `_begin`.
    """

    def __init__(
        self, device: Executor, networks: Networks, *, rows: int, tokens: int, queue_tokens: int
    ) -> None:
        self._device = device
        self._networks = networks
        self._rows, self._tokens, self._queue_tokens = rows, tokens, queue_tokens
        self._scheduler: Scheduler | None = None
        self._admitted = 0
        self._waiting: deque[AnswerStream] = deque()
        self._placed: set[AnswerStream] = set()

    @property
    def admitted_tokens(self) -> int:
        """Tokens of all answers that were admitted."""
        return self._admitted

    @property
    def waiting(self) -> int:
        """Answers that wait for a place."""
        return len(self._waiting)

    @property
    def placed(self) -> int:
        """Answers that are being read or written."""
        return len(self._placed)

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values that answers grow in."""
        return 0 if self._scheduler is None else self._scheduler.nbytes

    @property
    def steps(self) -> int:
        """Forward passes that wrote them, the first token of each answer left aside."""
        return 0 if self._scheduler is None else self._scheduler.steps

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Holds so many tokens of the queue; raises Overloaded at once where they are not free."""
        if self._admitted and self._admitted + tokens > self._queue_tokens:
            raise Overloaded(
                f"{self._device.name} (in tokens)",
                self._admitted,
                self._queue_tokens,
                self._device.retry_after_s,
            )
        self._admitted += tokens
        try:
            yield
        finally:
            self._admitted -= tokens

    def open(self, start: Start, tokens: int) -> AnswerStream:
        """An answer that begins, by `start` on the device, once those before it have and it has room."""
        stream = AnswerStream(self, start, tokens)
        self._waiting.append(stream)
        self._fill()
        return stream

    def give_up(self, stream: AnswerStream) -> None:
        """Takes out an answer that waits. One that has a place keeps it until the device let go of it."""
        if stream in self._waiting:
            self._waiting.remove(stream)
            self._fill()

    def leave(self, stream: AnswerStream) -> None:
        """Gives an answer's place to the next."""
        self._placed.discard(stream)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self._fits(self._waiting[0]):
            stream = self._waiting.popleft()
            self._placed.add(stream)
            try:
                self._device.submit(self._begin, stream, priority=Priority.INTERACTIVE)
            except RuntimeError:  # the device is closed
                stream.ended(ShuttingDown())

    def _fits(self, stream: AnswerStream) -> bool:
        used = sum(one.tokens for one in self._placed)
        return not self._placed or (len(self._placed) < self._rows and used + stream.tokens <= self._tokens)

    def _begin(self, stream: AnswerStream) -> None:
        """Reads the prompt and joins the others; on the device's thread."""
        try:
            if stream.gone.is_set():
                stream.ended(None)
                return
            generation = stream.start()
            stream.notes = generation.notes
            # It is empty, and so false, when nothing is being written.
            if self._scheduler is None:
                self._scheduler = Scheduler(self._networks.lm)
            scheduler = self._scheduler
            scheduler.join(generation, stream, stream.gone)
            if len(scheduler):
                self._device.attend(scheduler.step)
        except Exception as error:
            stream.ended(error)
