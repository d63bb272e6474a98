"""A client of a remote service with OpenAI's chat completions API, which streams the generated text."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import httpx2
import msgspec

from models.errors import GeneratorFailed
from models.profile import GeneratorSpec

_CONNECT_S = 5.0
_MOST_OF_ERROR = 300
_DONE = "[DONE]"


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a text. Token counts are 0 if the service does not report them."""

    reason: Literal["stop", "length"]
    prompt_tokens: int
    generated_tokens: int


Written: TypeAlias = str | Ended
"""A piece of text (the first is empty, once the service has accepted), or the end."""


class ChatClient:
    """A client of one service. The key is read from the environment once and never shown.

    Raises GeneratorFailed where the variable that `key_env` names is not set.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        self.base_url = spec.base_url.rstrip("/")
        self._model = spec.model
        headers = {}
        if spec.key_env:
            key = os.environ.get(spec.key_env, "").strip()
            if not key:
                raise GeneratorFailed(self.base_url, f"the variable {spec.key_env} with its key is not set")
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx2.AsyncClient(
            headers=headers, timeout=httpx2.Timeout(spec.timeout_s, connect=min(_CONNECT_S, spec.timeout_s))
        )

    async def write(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> AsyncGenerator[Written]:
        """The text as it is written, then how it ended. Raises GeneratorFailed."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if top_p < 1:
            body["top_p"] = top_p
        if seed is not None:
            body["seed"] = seed
        try:
            async with self._client.stream("POST", f"{self.base_url}/chat/completions", json=body) as reply:
                if reply.status_code != 200:
                    raise self._refused(reply.status_code, await reply.aread())
                async for written in self._read(reply):
                    yield written
        except httpx2.TimeoutException as error:
            raise GeneratorFailed(self.base_url, "it sent nothing for too long") from error
        except (httpx2.HTTPError, httpx2.SSEError) as error:
            raise GeneratorFailed(self.base_url, type(error).__name__) from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _read(self, reply: httpx2.Response) -> AsyncGenerator[Written]:
        yield ""
        reason: str | None = None
        usage = _Usage()
        async for event in httpx2.EventSource(reply):
            if event.data == _DONE:
                break
            try:
                chunk = msgspec.json.decode(event.data, type=_Chunk)
            except msgspec.MsgspecError as error:
                raise GeneratorFailed(self.base_url, "its reply is not a stream of chunks") from error
            if chunk.error is not None:
                raise GeneratorFailed(self.base_url, _message(chunk.error))
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                reason = choice.finish_reason or reason
                if choice.delta.content:
                    yield choice.delta.content
        if reason is None:
            raise GeneratorFailed(self.base_url, "its reply broke off")
        yield Ended("length" if reason == "length" else "stop", usage.prompt_tokens, usage.completion_tokens)

    def _refused(self, status: int, body: bytes) -> GeneratorFailed:
        try:
            said = _message(msgspec.json.decode(body)["error"])
        except (msgspec.MsgspecError, KeyError, TypeError, IndexError):
            said = "no reason given"
        return GeneratorFailed(self.base_url, f"status {status}, {said}", upstream_status=status)


def _message(error: Any) -> str:
    """The message of an error in OpenAI's form, shortened, because services repeat parts of prompts in it."""
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:_MOST_OF_ERROR]
