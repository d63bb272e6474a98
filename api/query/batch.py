"""Several questions at once: encoded in one pass, then searched a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from excerpta.types import QueryReply, SearchBatchRequest, SearchRequest

from api.access.caller import Caller
from api.query.engine import QueryEngine, RunningQuery
from api.query.stages import running
from base.errors import ExcerptaError
from retrieval.catalogue import METHODS

_AT_ONCE = 4
"""Questions that are searched at the same time: others than this caller's find places on the device."""


async def search_each(
    engine: QueryEngine, request: SearchBatchRequest, *, caller: Caller
) -> list[QueryReply | ExcerptaError]:
    """For each question what `search` replies, or the error that it raises, in their order.

    Raises Overloaded where the device has no place for the questions.
    """
    asked = [request.alone(query) for query in request.queries]
    started = [await _started(engine, one, caller) for one in asked]
    await _encode([one for one in started if isinstance(one, RunningQuery)], engine, caller)
    places = asyncio.Semaphore(_AT_ONCE)

    async def found(one: SearchRequest, known: RunningQuery | ExcerptaError) -> QueryReply | ExcerptaError:
        if isinstance(known, ExcerptaError):
            return known
        async with places:
            try:
                # Started anew: its time begins now.
                return await engine.ask(one, caller=caller, search=True)
            except ExcerptaError as error:
                return error

    return await asyncio.gather(*(found(one, known) for one, known in zip(asked, started, strict=True)))


async def _started(
    engine: QueryEngine, request: SearchRequest, caller: Caller
) -> RunningQuery | ExcerptaError:
    try:
        return await engine.start(request, caller=caller, search=True)
    except ExcerptaError as error:
        return error


async def _encode(queries: Sequence[RunningQuery], engine: QueryEngine, caller: Caller) -> None:
    """Encodes the questions that a plan needs vectors of, in one call, so that they are known."""
    networks = engine.networks.of_questions(caller.questions_salt)
    texts = [
        one.query.text
        for one in queries
        if any("encoder" in METHODS[name].needs for name in running(one.query.plan.retrieve))
    ]

    def encode() -> None:
        encoder = networks.encoder
        tokens = encoder.tokenize(texts)
        # Longer questions are read in part, each by itself.
        fitting = [
            text for text, one in zip(texts, tokens, strict=True) if len(one.ids) <= encoder.max_tokens
        ]
        encoder.encode_queries(fitting)

    if texts:
        with engine.device.admit():
            await engine.device.run(encode)
