"""The request and reply types of OpenAI's chat completions, as far as this service supports them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from excerpta.types import Filter, Name, PlanOptions, Reply, Request
from msgspec import Meta, Struct

Ignored: TypeAlias = Any
_Stop = Annotated[str, Meta(max_length=200)]


class ContentPart(Struct, kw_only=True):
    """A piece of a message: text, or a refusal as a reply has it. Its other fields are ignored."""

    type: str
    text: str | None = None
    refusal: str | None = None


class ChatMessage(Struct, kw_only=True):
    """One message. Only `role` and `content` are read.

    Clients send a reply back as they have it (`refusal`, `annotations`, `audio`, `tool_calls` ...), so other
    fields are ignored.
    """

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None


class StreamOptions(Request):
    """What a stream contains besides the answer. `include_obfuscation` is ignored."""

    include_usage: bool = False
    include_obfuscation: Ignored = None


class ResponseFormat(Struct, kw_only=True):
    """The format of the answer: text is the only one."""

    type: str


class ChatSearch(Request):
    """The retrieval options of a chat completion: the same fields as in a query."""

    filter: Filter | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    plan: str | PlanOptions | None = None
    timeout_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None


class ChatRequest(Request):
    """A chat completion over the collection that `model` names.

    The last message must be the user's: it is the question. Earlier messages are the conversation. `excerpta`
    sets the plan and the filter. What would change the form of the reply (`tools`, `n` above 1, `logprobs`,
    another `response_format`) is refused. Penalties, `logit_bias` and `min_p` have no effect, as the reply's
    `warnings` say. More tokens than an answer may have are lowered. Anything unknown is an error.
    """

    model: Name
    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=1000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: _Stop | list[_Stop] | None = None
    excerpta: ChatSearch | None = None

    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    functions: list[Any] | None = None
    function_call: Any = None
    response_format: ResponseFormat | None = None
    modalities: list[str] | None = None
    audio: Any = None
    prediction: Any = None
    web_search_options: Any = None

    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    logit_bias: dict[str, float] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None

    metadata: Ignored = None
    parallel_tool_calls: Ignored = None
    prompt_cache_key: Ignored = None
    prompt_cache_retention: Ignored = None
    reasoning_effort: Ignored = None
    safety_identifier: Ignored = None
    service_tier: Ignored = None
    store: Ignored = None
    user: Ignored = None
    verbosity: Ignored = None


class UrlCitation(Reply):
    """The position of a mark in the answer, and the `quote` from the document that it cites."""

    start_index: int
    end_index: int
    title: str
    url: str
    document_id: str
    passage_id: str
    document_start: int
    document_end: int
    quote: str


class Annotation(Reply):
    """A citation, in OpenAI's form."""

    url_citation: UrlCitation
    type: Literal["url_citation"] = "url_citation"


class PromptTokens(Reply):
    """How many of the prompt's tokens were read from the cache."""

    cached_tokens: int


class ChatUsage(Reply):
    """Tokens read and written for the answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokens


class AnswerMessage(Reply):
    """The answer; its citations are its annotations."""

    content: str
    annotations: list[Annotation]
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class ChatChoice(Reply):
    """The one answer."""

    message: AnswerMessage
    finish_reason: Literal["stop", "length"]
    index: int = 0
    logprobs: None = None


class ChatCompletion(Reply):
    """The reply to a request that is not streamed.

    Besides OpenAI's fields: `supported` is whether a passage supports the answer, `query` is the question
    that was searched, and `warnings` say what was read in part, ran out of time or has no effect.
    """

    id: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    supported: bool
    query: str
    warnings: list[str]
    object: Literal["chat.completion"] = "chat.completion"


class Delta(Reply, omit_defaults=True):
    """The part of the answer that a chunk adds."""

    role: str | None = None
    content: str | None = None
    annotations: list[Annotation] | None = None


class ChunkChoice(Reply):
    """A chunk of the one answer."""

    delta: Delta
    finish_reason: Literal["stop", "length"] | None = None
    index: int = 0
    logprobs: None = None


class ChatChunk(Reply):
    """One event of a stream. `supported`, `query` and `warnings` come with the `finish_reason`."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: ChatUsage | None = None
    supported: bool | None = None
    query: str | None = None
    warnings: list[str] | None = None
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"


class OpenAIProblem(Reply):
    """An error in OpenAI's form. `code` is the last part of the problem type's address."""

    message: str
    type: str
    code: str
    param: str | None = None


class OpenAIError(Reply):
    """An error, in OpenAI's form."""

    error: OpenAIProblem
