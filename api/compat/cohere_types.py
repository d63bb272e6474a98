"""The request and reply types of Cohere's second rerank call, with what Jina's has besides."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from excerpta.types import Reply, Request
from excerpta.types.base import QueryText
from excerpta.types.stages import TextIn
from msgspec import UNSET, Meta, Struct, UnsetType

Ignored: TypeAlias = Any


class CohereRerankRequest(Request):
    """Texts to rank for a query. `model` is a method of reranking (`GET /v1/methods`), or `auto`.

    `max_tokens_per_doc` is the method's `passage_tokens`, where it has them. `priority` has no effect.
    """

    query: QueryText
    documents: Annotated[
        list[Annotated[str, Meta(max_length=1_000_000)] | TextIn], Meta(min_length=1, max_length=1000)
    ]
    model: str | None = None
    top_n: Annotated[int, Meta(ge=1)] | None = None
    max_tokens_per_doc: Annotated[int, Meta(ge=8, le=8192)] | None = None
    return_documents: bool = False
    priority: Ignored = None


class CohereResult(Reply):
    """One text's place: `index` into the request; `relevance_score` on the method's own scale."""

    index: int
    relevance_score: float
    document: dict[str, str] | UnsetType = UNSET


class CohereVersion(Struct, frozen=True, kw_only=True):
    """The version of the call."""

    version: Literal["2"] = "2"


class CohereTokens(Reply):
    """Tokens that were read; none are written."""

    input_tokens: int
    output_tokens: int = 0


class CohereMeta(Reply):
    """What the ranking cost. `warnings` say what was read in part or has no effect."""

    tokens: CohereTokens
    warnings: list[str]
    api_version: CohereVersion = CohereVersion()


class CohereRerankReply(Reply):
    """The texts, best first. `model` is the method that ranked them."""

    id: str
    results: list[CohereResult]
    meta: CohereMeta
    model: str


class CohereError(Reply):
    """An error in Cohere's form. `code` is the last part of the problem type's address."""

    message: str
    code: str
    id: str
