"""Routes of queries: find passages, and answer from them."""

from typing import Any, Literal

from excerpta.types import (
    Problem,
    QueryReply,
    QueryRequest,
    SearchBatchReply,
    SearchBatchRequest,
    SearchRequest,
    SearchResult,
)
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream
from msgspec import convert

from api.access.caller import Caller
from api.access.keys import needs
from api.http import sse
from api.http.contract import StreamedOperation, answered, problems
from api.http.hangup import unless_gone
from api.http.problems import document
from api.query.batch import search_each
from api.query.engine import RunningQuery
from api.service import Service
from api.telemetry.trace import server_timing
from base.errors import ExcerptaError


@post(
    "/v1/query",
    operation_id="query",
    opt=needs("search", "answer"),
    operation_class=StreamedOperation,
    responses={200: answered(QueryReply, "The reply, or its events."), **problems(404, 409, 413, 422)},
    status_code=200,
    tags=["queries"],
)
async def query(
    data: JSONBody[QueryRequest],
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> Response[QueryReply] | Stream:
    """Finds passages and answers from them, with citations. Every stage can be configured or switched off.

    With `stream`, the reply is server-sent events: `hits`, then `delta`s of the answer and each `citation` as
    it is complete, `usage`, `done`. `error` carries a problem. Of several errors in a request, the first is
    reported.
    """
    running = await service.engine.start(data, caller=caller)
    if not data.stream:
        return await _whole(request, running, explain=data.explain)
    # The first event is read here: what fails before it can still be a plain reply.
    events = running.events()
    first = await anext(events)
    chunks = sse.stream(
        events, first=first, closing=service.closing, keep_alive_s=service.settings.keep_alive_s
    )
    return Stream(chunks, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


@post(
    "/v1/search",
    operation_id="search",
    opt=needs("search", "answer"),
    responses=problems(404, 409, 413, 422),
    status_code=200,
    tags=["queries"],
)
async def search(
    data: JSONBody[SearchRequest],
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> Response[QueryReply]:
    """Finds passages: retrieves and fuses. Other stages run only if the request itself switches them on."""
    running = await service.engine.start(data, caller=caller, search=True)
    return await _whole(request, running, explain=data.explain)


@post(
    "/v1/search:batch",
    operation_id="searchBatch",
    opt=needs("search", "answer"),
    responses=problems(404, 409, 413, 422),
    status_code=200,
    tags=["queries"],
)
async def search_batch(
    data: JSONBody[SearchBatchRequest],
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> SearchBatchReply:
    """Finds passages for up to 100 questions, as `/v1/search` does for each, which are encoded together.

    A result has the reply to its question, or the problem that this question met.
    """
    found = await unless_gone(request, search_each(service.engine, data, caller=caller))
    return SearchBatchReply(
        results=[
            SearchResult(error=convert(document(one), Problem))
            if isinstance(one, ExcerptaError)
            else SearchResult(reply=one)
            for one in found
        ]
    )


async def _whole(
    request: Request[Any, Any, Any], running: RunningQuery, *, explain: bool | Literal["matrix"]
) -> Response[QueryReply]:
    reply = await unless_gone(request, running.whole(explain=explain))
    return Response(reply, headers={"Server-Timing": server_timing(reply.timings_ms)})


QUERIES = [query, search, search_batch]
