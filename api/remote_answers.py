"""Answers written by a service elsewhere, heard like those of this service's own device."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, aclosing

from api.hearing import Hearing, TokenQueue
from api.tasks import AnswerTask
from api.trace import Trace
from context import AnswerPrompt, TokenUsage
from context.prompt import DEFAULT_PROMPT
from models.profile import GeneratorSpec
from models.remote_writer import Ended, RemoteWriter


class RemoteAnswer:
    """One answer that is written elsewhere."""

    notes = None

    def __init__(self, writer: RemoteWriter, prompt: AnswerPrompt, task: AnswerTask) -> None:
        self.cut = False
        self._hearing = Hearing()
        self._pieces = 0
        self._ended: Ended | None = None
        self._task = asyncio.create_task(self._run(writer, prompt, task))

    @property
    def usage(self) -> TokenUsage:
        """Tokens as the service counts them. Until it has, each piece of text counts as one."""
        if self._ended is None:
            return TokenUsage(0, 0, 0, self._pieces)
        return TokenUsage(0, 0, self._ended.prompt_tokens, self._ended.generated_tokens or self._pieces)

    async def next(self) -> str | None:
        """The next piece of text; "" first, when the service has accepted, and None at the end.

        Raises GeneratorFailed.
        """
        return await self._hearing.next()

    def cancel(self) -> None:
        """Hangs up."""
        self._task.cancel()

    async def _run(self, writer: RemoteWriter, prompt: AnswerPrompt, task: AnswerTask) -> None:
        options = task.options
        written = writer.write(
            prompt.messages(task.question, task.passages, modules=task.modules.text if task.modules else ""),
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            seed=options.seed,
        )
        try:
            async with aclosing(written) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Ended):
                        self._ended, self.cut = piece, piece.reason == "length"
                    else:
                        self._pieces += bool(piece)
                        self._hearing.tell(piece)
            self._hearing.tell(None)
        except Exception as error:
            self._hearing.tell(error)


class RemoteAnswers:
    """Has answers written by the service that a profile names. Raises GeneratorFailed without its key."""

    def __init__(self, spec: GeneratorSpec, *, queue_tokens: int) -> None:
        self._writer = RemoteWriter(spec)
        self._prompt = AnswerPrompt.read(DEFAULT_PROMPT)
        self._queue = TokenQueue(spec.model, queue_tokens)

    def admit(self, tokens: int) -> AbstractContextManager[None]:
        """Holds so many tokens of the queue; raises Overloaded at once where they are not free."""
        return self._queue.admit(tokens)

    def write(self, task: AnswerTask, trace: Trace) -> RemoteAnswer:
        """Asks the service at once."""
        return RemoteAnswer(self._writer, self._prompt, task)

    async def close(self) -> None:
        """Closes the connections."""
        await self._writer.close()
