"""Answers of a remote service, streamed like those of this service's device."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, aclosing

from api.answers.request import AnswerRequest
from api.answers.writer import PieceQueue, TokenAdmission
from api.telemetry.trace import Trace
from context import AnswerPrompt, TokenUsage
from context.prompts.prompt import DEFAULT_PROMPT
from models.networks.openai_client import ChatClient, Ended
from models.profile import GeneratorSpec


class RemoteAnswer:
    """One answer that a remote service generates."""

    notes = None

    def __init__(self, writer: ChatClient, prompt: AnswerPrompt, task: AnswerRequest) -> None:
        self.cut = False
        self._hearing = PieceQueue()
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
        """Closes the connection."""
        self._task.cancel()

    async def _run(self, writer: ChatClient, prompt: AnswerPrompt, task: AnswerRequest) -> None:
        options = task.options
        written = writer.write(
            prompt.messages(task.question, task.passages, modules=task.modules.text if task.modules else ""),
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            top_p=options.top_p,
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


class RemoteWriter:
    """Generates answers by the remote service of a profile. Raises GeneratorFailed without its key."""

    def __init__(self, spec: GeneratorSpec, *, queue_tokens: int) -> None:
        self._writer = ChatClient(spec)
        self._prompt = AnswerPrompt.read(DEFAULT_PROMPT)
        self._queue = TokenAdmission(spec.model, queue_tokens)

    def admit(self, tokens: int) -> AbstractContextManager[None]:
        """Holds so many tokens of the queue; raises Overloaded at once where they are not free."""
        return self._queue.admit(tokens)

    def write(self, task: AnswerRequest, trace: Trace) -> RemoteAnswer:
        """Asks the service at once."""
        return RemoteAnswer(self._writer, self._prompt, task)

    async def close(self) -> None:
        """Closes the connections."""
        await self._writer.close()
