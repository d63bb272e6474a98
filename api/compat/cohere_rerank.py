"""Cohere's rerank call as one of this service: its options, its reply, its errors."""

from __future__ import annotations

from typing import Any

import msgspec
from excerpta.types.rerank import RerankMethod
from litestar import Request, Response

from api.compat.cohere_types import (
    CohereError,
    CohereMeta,
    CohereRerankReply,
    CohereRerankRequest,
    CohereResult,
    CohereTokens,
)
from api.http.ids import new_id
from api.http.problems import respond
from base.methods import AUTO, TAG
from rerank import CATALOGUE, Ranking

_TOKENS = "passage_tokens"


def options_of(request: CohereRerankRequest) -> tuple[RerankMethod, list[str]]:
    """The options of the method that is asked for, and warnings of what has no effect with it.

    Raises UnknownMethod, InvalidOption.
    """
    named = {TAG: request.model or AUTO}
    if request.max_tokens_per_doc is None:
        return CATALOGUE.resolve(named), []
    method = CATALOGUE[named[TAG]]
    if _TOKENS not in method.fields:
        return CATALOGUE.resolve(named), [f"`max_tokens_per_doc` has no effect on {method.name!r}"]
    return CATALOGUE.resolve({**named, _TOKENS: request.max_tokens_per_doc}), []


def reply_of(
    ranking: Ranking, request: CohereRerankRequest, texts: list[str], method: str, warnings: list[str]
) -> CohereRerankReply:
    """The ranking in Cohere's form."""
    results = [
        CohereResult(
            index=at,
            relevance_score=float(ranking.scores[at]),
            document={"text": texts[at]} if request.return_documents else msgspec.UNSET,
        )
        for at in ranking.order.tolist()[: request.top_n]
    ]
    meta = CohereMeta(tokens=CohereTokens(input_tokens=ranking.tokens_read), warnings=warnings)
    return CohereRerankReply(id=new_id("rrk"), results=results, meta=meta, model=method)


def respond_in_form(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The reply to a request that failed: the problem in Cohere's form, with its own status."""
    reply = respond(request, error)
    problem = msgspec.json.decode(reply.content)
    said = CohereError(
        message=str(problem["detail"]), code=str(problem["type"]).rsplit("/", 1)[-1], id=new_id("err")
    )
    return Response(
        msgspec.json.encode(said),
        status_code=reply.status_code,
        media_type="application/json",
        headers=reply.headers,
    )
