"""Single stages, for texts that are in no collection."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from excerpta.types import (
    CompressedText,
    CompressReply,
    CompressRequest,
    RerankReply,
    RerankRequest,
    RerankResult,
    RerankUsage,
)
from excerpta.types.rerank import RerankMethod
from excerpta.types.stages import TextIn
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import JSONBody
from msgspec import UNSET

from api.access.keys import needs
from api.collections.storable import clean
from api.compat.cohere_rerank import options_of, reply_of, respond_in_form
from api.compat.cohere_types import CohereRerankReply, CohereRerankRequest
from api.device.price import price, refuse_early
from api.errors import InvalidRequest, OutOfTime
from api.http.contract import cohere_problems, problems
from api.http.hangup import unless_gone
from api.http.ids import new_id
from api.query.candidates import EncodedTexts
from api.query.catalogues import REMEDIES
from api.service import Service
from api.telemetry.trace import Trace, server_timing
from base.methods import AUTO, TAG
from compress import CATALOGUE as COMPRESSORS
from compress import Loose, without_question
from rerank import CATALOGUE as RERANKERS
from rerank import Ranking, Texts

T = TypeVar("T")


@post(
    "/v1/rerank",
    operation_id="rerank",
    opt=needs("search", "answer"),
    responses=problems(413, 422),
    status_code=200,
    tags=["stages"],
    guards=[refuse_early],
)
async def rerank(
    data: JSONBody[RerankRequest], request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[RerankReply]:
    """Ranks texts for a query, in the form of Cohere's and Jina's rerank calls."""
    for name, remedy in {TAG: "give it as `model`", "limit": "all texts are ranked"}.items():
        if name in data.options:
            raise InvalidRequest("options", f"`{name}` is not among them here: {remedy}")
    options = RERANKERS.resolve({**data.options, TAG: data.model or AUTO})
    texts, trace = _texts(data.documents), Trace(timeout_s=service.settings.query_timeout_s)
    ranking = await _ranked(request, service, data.query, texts, options, trace)
    results = [
        RerankResult(
            index=at,
            relevance_score=float(ranking.scores[at]),
            document={"text": texts[at]} if data.return_documents else UNSET,
        )
        for at in ranking.order.tolist()[: data.top_n]
    ]
    reply = RerankReply(
        id=new_id("rrk"),
        model=options.method,
        results=results,
        usage=RerankUsage(total_tokens=ranking.tokens_read, forward_passes=ranking.forward_passes),
        timings_ms=trace.finish(),
    )
    return Response(reply, headers={"Server-Timing": server_timing(reply.timings_ms)})


@post(
    "/v2/rerank",
    operation_id="rerank_v2",
    opt=needs("search", "answer"),
    responses=cohere_problems(413, 422),
    status_code=200,
    tags=["stages"],
    guards=[refuse_early],
    exception_handlers={HTTPException: respond_in_form, Exception: respond_in_form},
)
async def rerank_v2(
    data: JSONBody[CohereRerankRequest], request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[CohereRerankReply]:
    """Ranks texts for a query, in the form of the second version of Cohere's call."""
    options, warnings = options_of(data)
    texts, trace = _texts(data.documents), Trace(timeout_s=service.settings.query_timeout_s)
    ranking = await _ranked(request, service, data.query, texts, options, trace)
    if ranking.cut:
        warnings.append(f"only the beginning of {ranking.cut} documents was read")
    reply = reply_of(ranking, data, texts, options.method, warnings)
    return Response(reply, headers={"Server-Timing": server_timing(trace.finish())})


def _texts(documents: Sequence[str | TextIn]) -> list[str]:
    return [clean(one if isinstance(one, str) else one.text) for one in documents]


async def _ranked(
    request: Request[Any, Any, Any],
    service: Service,
    query: str,
    texts: Sequence[str],
    options: RerankMethod,
    trace: Trace,
) -> Ranking:
    """Ranks loose texts on the device. Raises InvalidRequest for a blank query, and MethodUnavailable."""
    RERANKERS.check(options, service.networks.available() - {"blocks"}, REMEDIES)
    query = clean(query)
    if not query.strip():
        raise InvalidRequest("query", "it has no words; ask something")
    call = partial(service.networks.rerank, query, Texts(texts), options)
    return await _on_device(request, service, trace, "rerank", price(query, texts), call)


async def _on_device(
    request: Request[Any, Any, Any],
    service: Service,
    trace: Trace,
    stage: str,
    tokens: int,
    call: Callable[[], T],
) -> T:
    """Runs a call that lets queries go first, and that ends with its time or when its client is gone.

    Raises TooManyTokens, Overloaded, OutOfTime.
    """
    with service.stage_budget.admit(tokens), service.device.admit(), trace.stage(stage):
        work = service.device.run(trace.queued(call), patient=True)
        try:
            async with asyncio.timeout(trace.left_s):
                return await unless_gone(request, work)
        except TimeoutError:
            raise OutOfTime(service.settings.query_timeout_s) from None


@post(
    "/v1/compress",
    operation_id="compress",
    opt=needs("search", "answer"),
    responses=problems(413, 422),
    status_code=200,
    tags=["stages"],
    guards=[refuse_early],
)
async def compress(
    data: JSONBody[CompressRequest], request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[CompressReply]:
    """Shortens texts to a common token budget. The result consists of spans of the texts, in order."""
    for name in {TAG, "target_tokens"}.intersection(data.options):
        raise InvalidRequest("options", f"`{name}` stands beside the options, not among them")
    texts, query = [clean(one) for one in data.texts], clean(data.query)
    available = service.networks.available()
    blind = data.method == AUTO and not query.strip()
    options = COMPRESSORS.resolve(
        {**data.options, TAG: without_question(available) if blind else data.method}
    )
    COMPRESSORS.check(options, available, REMEDIES)
    read = EncodedTexts(query, texts, service.networks) if data.encode else Loose(texts)
    trace = Trace(timeout_s=service.settings.query_timeout_s)
    call = partial(service.networks.compress, query, read, options, target_tokens=data.target_tokens)
    shortened = await _on_device(request, service, trace, "compress", price(query, texts), call)
    reply = CompressReply(
        id=new_id("cmp"),
        method=options.method,
        texts=[
            CompressedText(
                text=one.text,
                kept=list(one.kept),
                tokens_before=one.tokens_before,
                tokens_after=one.tokens_after,
            )
            for one in shortened
        ],
        timings_ms=trace.finish(),
    )
    return Response(reply, headers={"Server-Timing": server_timing(reply.timings_ms)})


STAGES = [rerank, rerank_v2, compress]
