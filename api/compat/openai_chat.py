"""The reply to a chat completion: a query's results and events in OpenAI's form."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from excerpta.types import (
    Citation,
    DeltaEvent,
    DoneEvent,
    Hit,
    HitsEvent,
    QueryReply,
    StreamEvent,
    Usage,
)
from litestar import Request, Response

from api.compat.openai_types import (
    Annotation,
    AnswerMessage,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatUsage,
    ChunkChoice,
    Delta,
    OpenAIError,
    OpenAIProblem,
    PromptTokens,
    UrlCitation,
)
from api.http.problems import document, respond
from api.query.engine import RunningQuery

_END = b"data: [DONE]\n\n"


class CompletionForm:
    """Gives one query's results OpenAI's form; `base_url` is the service's own."""

    def __init__(self, running: RunningQuery, model: str, base_url: str) -> None:
        self._id = f"chatcmpl-{running.query.id.removeprefix('qry_')}"
        self._created = int(time.time())
        self._model = model
        self._url = links_of(base_url, model)

    def whole(self, reply: QueryReply) -> ChatCompletion:
        """The reply that is not streamed."""
        answer = reply.answer
        if answer is None:
            raise RuntimeError("a chat completion has an answer")
        annotations = [self._annotation(one, reply.hits) for one in answer.citations]
        message = AnswerMessage(content=answer.text, annotations=annotations)
        return ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=[ChatChoice(message=message, finish_reason=_finish(answer.finish_reason))],
            usage=_usage(reply.usage),
            supported=answer.supported,
            query=reply.query,
            warnings=reply.warnings,
        )

    async def chunks(
        self, events: AsyncGenerator[StreamEvent], found: HitsEvent, *, usage: bool
    ) -> AsyncGenerator[bytes]:
        """The events behind `found` as they are sent; with `usage` the last chunk counts tokens."""
        yield self._chunk(Delta(role="assistant", content=""))
        async with aclosing(events):
            async for event in events:
                if isinstance(event, DeltaEvent):
                    yield self._chunk(Delta(content=event.text))
                elif isinstance(event, Citation):
                    yield self._chunk(Delta(annotations=[self._annotation(event, found.hits)]))
                elif isinstance(event, DoneEvent) and event.answer is not None:
                    last = self._bare(
                        [ChunkChoice(delta=Delta(), finish_reason=_finish(event.answer.finish_reason))]
                    )
                    last.supported, last.query = event.answer.supported, found.query
                    last.warnings = event.warnings
                    yield _encoded(last)
                    if usage:
                        yield _encoded(self._bare([], _usage(event.usage)))
        yield _END

    def _chunk(self, delta: Delta) -> bytes:
        return _encoded(self._bare([ChunkChoice(delta=delta)]))

    def _bare(self, choices: list[ChunkChoice], usage: ChatUsage | None = None) -> ChatChunk:
        return ChatChunk(id=self._id, created=self._created, model=self._model, choices=choices, usage=usage)

    def _annotation(self, one: Citation, hits: Sequence[Hit]) -> Annotation:
        return Annotation(
            url_citation=UrlCitation(
                start_index=one.mark[0],
                end_index=one.mark[1],
                title=hits[one.hit].title,
                url=self._url + quote(one.document_id),
                document_id=one.document_id,
                passage_id=one.passage_id,
                document_start=one.start,
                document_end=one.end,
                quote=one.quote,
            )
        )


def links_of(base_url: str, collection: str) -> str:
    """What the addresses of a collection's documents begin with."""
    return f"{base_url.rstrip('/')}/v1/collections/{quote(collection)}/documents/"


def failed(error: Exception) -> bytes:
    """The last event of a stream that failed."""
    return _encoded(_problem(document(error)))


def respond_in_form(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The reply to a request that failed: the problem, in OpenAI's form and with OpenAI's status."""
    reply = respond(request, error)
    body = msgspec.json.decode(reply.content)
    status = 400 if reply.status_code == 422 else reply.status_code
    return Response(
        msgspec.json.encode(_problem(body)),
        status_code=status,
        media_type="application/json",
        headers=reply.headers,
    )


def _problem(body: dict[str, Any]) -> OpenAIError:
    status, slug = int(body["status"]), str(body["type"]).rsplit("/", 1)[-1]
    kind = "server_error" if status >= 500 else "invalid_request_error"
    errors = body.get("errors") or [{}]
    return OpenAIError(
        error=OpenAIProblem(
            message=body["detail"],
            type="authentication_error" if status == 401 else kind,
            code="model_not_found" if slug == "unknown-collection" else slug,
            param=body.get("field") or errors[0].get("key"),
        )
    )


def _finish(reason: str) -> Literal["stop", "length"]:
    """An answer that ran out of time ended before its end, as one that ran out of tokens."""
    return "length" if reason in ("length", "timeout") else "stop"


def _usage(usage: Usage) -> ChatUsage:
    read = usage.context_tokens + usage.question_tokens
    return ChatUsage(
        prompt_tokens=read,
        completion_tokens=usage.generated_tokens,
        total_tokens=read + usage.generated_tokens,
        prompt_tokens_details=PromptTokens(cached_tokens=usage.cached_tokens),
    )


def _encoded(value: object) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


async def first_hits(events: AsyncGenerator[StreamEvent]) -> HitsEvent:
    """The first event, which has the hits. An error before it can still be a plain reply."""
    first = await anext(events)
    if not isinstance(first, HitsEvent):
        raise RuntimeError("the first event of a query has its hits")
    return first
