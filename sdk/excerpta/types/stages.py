"""Single stages: rerank and compress."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from excerpta.types.base import QueryText, Reply, Request


class TextIn(Request):
    """A text as an object, as Cohere's and Jina's clients may send it."""

    text: Annotated[str, Meta(max_length=1_000_000)]


class RerankRequest(Request):
    """Texts to rank for a query, in the form of Cohere and Jina.

    `model` is a method of reranking (`GET /v1/methods`), `options` are the method's own besides `limit`: all
    texts are ranked.
    """

    query: QueryText
    documents: Annotated[
        list[Annotated[str, Meta(max_length=1_000_000)] | TextIn], Meta(min_length=1, max_length=1000)
    ]
    model: str | None = None
    options: dict[str, Any] = {}
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_documents: bool = False


class RerankResult(Reply):
    """One text's place: `index` into the request; `relevance_score` on the method's own scale."""

    index: int
    relevance_score: float
    document: dict[str, str] | UnsetType = UNSET


class RerankUsage(Reply):
    """The cost of the ranking."""

    total_tokens: int
    forward_passes: int


class RerankReply(Reply):
    """The texts, best first."""

    id: str
    model: str
    results: list[RerankResult]
    usage: RerankUsage
    timings_ms: dict[str, float]


class CompressRequest(Request):
    """Texts to shorten to a common budget of tokens, for a query.

    `method` is a method of compression (`GET /v1/methods`), `options` are the method's own besides
    `target_tokens`. With `encode` the service's encoder reads texts and query, so that their similarity
    counts too, as it does for passages of a collection.
    """

    texts: Annotated[list[Annotated[str, Meta(max_length=1_000_000)]], Meta(min_length=1, max_length=1000)]
    query: Annotated[str, Meta(max_length=20_000)] = ""
    target_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 800
    method: str = "auto"
    options: dict[str, Any] = {}
    encode: bool = False


class CompressedText(Reply):
    """A shortened text: the kept spans, half-open, and those spans joined."""

    text: str
    kept: list[tuple[int, int]]
    tokens_before: int
    tokens_after: int


class CompressReply(Reply):
    """The texts in the order of the request; `sum(tokens_after) <= target_tokens`."""

    id: str
    method: str
    texts: list[CompressedText]
    timings_ms: dict[str, float]
