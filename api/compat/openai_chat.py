"""Chat completions over a collection: a request as a query, and its events as chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from excerpta.types import (
    AnswerOptions,
    Citation,
    DeltaEvent,
    DoneEvent,
    Hit,
    HitsEvent,
    PlanOptions,
    QueryReply,
    SearchRequest,
    StreamEvent,
    Usage,
)
from litestar import Request, Response

from api.access.caller import Caller
from api.compat.openai_types import (
    Annotation,
    AnswerMessage,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    ChatSearch,
    ChatUsage,
    ChunkChoice,
    Delta,
    OpenAIError,
    OpenAIProblem,
    PromptTokens,
    UrlCitation,
)
from api.errors import InvalidRequest
from api.http.problems import document, respond
from api.query.engine import QueryEngine, RunningQuery

_LONGEST_QUESTION = 20_000
_MOST_CHARACTERS = 4000
_SPEAKERS = {"system": "Instructions", "developer": "Instructions", "user": "User", "assistant": "Assistant"}
_END = b"data: [DONE]\n\n"


async def start(engine: QueryEngine, request: ChatRequest, caller: Caller) -> RunningQuery:
    """Starts the query of a chat completion. Raises InvalidRequest and the errors of a query."""
    *before, last = request.messages
    if last.role != "user":
        raise InvalidRequest("messages", "the last one has to be the user's: it is the question")
    question = _text(last)
    if not question.strip():
        raise InvalidRequest("messages", "the last one has no words; ask something")
    if len(question) > _LONGEST_QUESTION:
        raise InvalidRequest("messages", f"the last one has more than {_LONGEST_QUESTION} characters")
    if request.logprobs:
        raise InvalidRequest("logprobs", "this service does not report them. Leave it out or send false")
    search = request.excerpta or ChatSearch()
    asked = SearchRequest(
        collection=request.model,
        query=_searched(before, question),
        filter=search.filter,
        limit=search.limit,
        plan=_plan(request, search.plan),
        timeout_ms=search.timeout_ms,
    )
    return await engine.start(asked, caller=caller, question=question, conversation=conversation(before))


def conversation(messages: Sequence[ChatMessage]) -> str:
    """The earlier messages as text for the model: all instructions, and the last messages that fit.

    Raises InvalidRequest for instructions that are too long.
    """
    said = [f"{_SPEAKERS[one.role]}: {' '.join(_text(one).split())}" for one in messages]
    standing = [line for one, line in zip(messages, said, strict=True) if one.role in ("system", "developer")]
    room = _MOST_CHARACTERS - sum(map(len, standing))
    if room < 0:
        raise InvalidRequest("messages", f"the instructions have more than {_MOST_CHARACTERS} characters")
    spoken: list[str] = []
    for one, line in zip(reversed(messages), reversed(said), strict=True):
        if one.role in ("user", "assistant"):
            room -= len(line)
            if room < 0:
                break
            spoken.append(line)
    return "\n".join([*standing, *reversed(spoken)])


def _searched(before: Sequence[ChatMessage], question: str) -> str:
    """The text to search for: the previous question, which gives the context, and the question."""
    earlier = next((_text(one) for one in reversed(before) if one.role == "user"), "")
    return f"{earlier[:_MOST_CHARACTERS]}\n{question}" if earlier.strip() else question


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content)


def _plan(request: ChatRequest, plan: str | PlanOptions | None) -> PlanOptions:
    """The plan, with the answer settings of the request."""
    said: dict[str, Any] = {
        "max_tokens": request.max_completion_tokens or request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    plan = PlanOptions(base=plan) if isinstance(plan, str) else plan or PlanOptions()
    if plan.answer is None:
        raise InvalidRequest(
            "excerpta.plan.answer", "a chat completion needs an answer; ask /v1/search for none"
        )
    answer = plan.answer if isinstance(plan.answer, AnswerOptions) else AnswerOptions()
    return msgspec.structs.replace(plan, answer=msgspec.structs.replace(answer, **changes))


class CompletionForm:
    """Gives one query's results OpenAI's form; `base_url` is the service's own."""

    def __init__(self, running: RunningQuery, model: str, base_url: str) -> None:
        self._id = f"chatcmpl-{running.query.id.removeprefix('qry_')}"
        self._created = int(time.time())
        self._model = model
        self._url = f"{base_url.rstrip('/')}/v1/collections/{quote(model)}/documents/"

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
        )

    async def chunks(
        self, events: AsyncGenerator[StreamEvent], hits: Sequence[Hit], *, usage: bool
    ) -> AsyncGenerator[bytes]:
        """The events behind `hits` as they are sent; with `usage` the last chunk counts tokens."""
        yield self._chunk(Delta(role="assistant", content=""))
        async with aclosing(events):
            async for event in events:
                if isinstance(event, DeltaEvent):
                    yield self._chunk(Delta(content=event.text))
                elif isinstance(event, Citation):
                    yield self._chunk(Delta(annotations=[self._annotation(event, hits)]))
                elif isinstance(event, DoneEvent) and event.answer is not None:
                    yield self._chunk(Delta(), finish=_finish(event.answer.finish_reason))
                    if usage:
                        yield _encoded(self._bare([], _usage(event.usage)))
        yield _END

    def _chunk(self, delta: Delta, *, finish: Literal["stop", "length"] | None = None) -> bytes:
        return _encoded(self._bare([ChunkChoice(delta=delta, finish_reason=finish)]))

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


async def first_hits(events: AsyncGenerator[StreamEvent]) -> Sequence[Hit]:
    """The first event, which has the hits. An error before it can still be a plain reply."""
    first = await anext(events)
    return first.hits if isinstance(first, HitsEvent) else []
