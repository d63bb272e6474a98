"""Generates answers on this machine: token-based admission, first come first served, streamed."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from api.answers.request import AnswerRequest
from api.answers.writer import PieceQueue, TokenAdmission
from api.device.networks import Networks
from api.errors import ShuttingDown
from api.telemetry.trace import Trace
from context import Generation, ReadingNotes, Row, Scheduler, TokenUsage
from models import Executor, Priority

Start: TypeAlias = Callable[[], Generation]
"""Reads the prompt, on the device's thread."""

_NOTHING = TokenUsage(0, 0, 0, 0)


class LocalAnswer:
    """One streamed answer. The device calls `began`, `said` and `ended`; the reader calls the rest.

    The caller that opened it always calls `cancel` at the end, which stops the generation.
    """

    def __init__(self, answers: LocalWriter, start: Start, tokens: int) -> None:
        self.start = start
        self.tokens = tokens
        self.gone = threading.Event()
        self.notes: ReadingNotes | None = None
        self._row: Row | None = None
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._hearing = PieceQueue()

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
        return await self._hearing.next()

    def cancel(self) -> None:
        """Stops the generation: the reader has gone."""
        self.gone.set()
        self._answers.give_up(self)

    def began(self, row: Row) -> None:
        """Signals that the prompt has been read."""
        self._row = row
        self._tell("")

    def said(self, text: str) -> None:
        """Passes a piece of text on."""
        self._tell(text)

    def ended(self, error: Exception | None) -> None:
        """Passes the end or the error on, and frees the place."""
        self._tell(error)
        self._loop.call_soon_threadsafe(self._answers.leave, self)

    def _tell(self, piece: str | Exception | None) -> None:
        self._loop.call_soon_threadsafe(self._hearing.tell, piece)


class LocalWriter:
    """The answers of one device: up to `rows` are generated together, with at most `tokens` tokens in total.

    All admitted answers, waiting ones included, have at most `queue_tokens`. An answer that exceeds a limit
    by itself runs alone. Everything but `_begin` runs in the event loop.
    """

    def __init__(
        self,
        device: Executor,
        networks: Networks,
        *,
        rows: int,
        tokens: int,
        queue_tokens: int,
        drafts: int = 0,
    ) -> None:
        self._device = device
        self._networks = networks
        self._rows, self._tokens, self._drafts = rows, tokens, drafts
        self._queue = TokenAdmission(device.name, queue_tokens, device.retry_after_s)
        self._scheduler: Scheduler | None = None
        self._waiting: deque[LocalAnswer] = deque()
        self._placed: set[LocalAnswer] = set()

    @property
    def admitted_tokens(self) -> int:
        """Tokens of all answers that were admitted."""
        return self._queue.admitted

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
        """Forward passes so far, without the first token of each answer."""
        return 0 if self._scheduler is None else self._scheduler.steps

    def admit(self, tokens: int) -> AbstractContextManager[None]:
        """Holds so many tokens of the queue; raises Overloaded at once where they are not free."""
        return self._queue.admit(tokens)

    def write(self, task: AnswerRequest, trace: Trace) -> LocalAnswer:
        """An answer that begins when there is room; until then its time counts as `queue`."""
        return self.open(trace.queued(self._networks.start_answer, task), task.tokens)

    def open(self, start: Start, tokens: int) -> LocalAnswer:
        """An answer that begins, by `start` on the device, once those before it have and it has room."""
        stream = LocalAnswer(self, start, tokens)
        self._waiting.append(stream)
        self._fill()
        return stream

    def give_up(self, stream: LocalAnswer) -> None:
        """Removes a waiting answer. A running one keeps its place until the device has released it."""
        if stream in self._waiting:
            self._waiting.remove(stream)
            self._fill()

    def leave(self, stream: LocalAnswer) -> None:
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

    def _fits(self, stream: LocalAnswer) -> bool:
        used = sum(one.tokens for one in self._placed)
        return not self._placed or (len(self._placed) < self._rows and used + stream.tokens <= self._tokens)

    def _begin(self, stream: LocalAnswer) -> None:
        """Reads the prompt and joins the others; on the device's thread."""
        try:
            if stream.gone.is_set():
                stream.ended(None)
                return
            generation = stream.start()
            stream.notes = generation.notes
            # It is empty, and so false, when nothing is being written.
            if self._scheduler is None:
                self._scheduler = Scheduler(self._networks.lm, drafts=self._drafts)
            scheduler = self._scheduler
            scheduler.join(generation, stream, stream.gone)
            if len(scheduler):
                self._device.attend(scheduler.step)
        except Exception as error:
            stream.ended(error)
