"""Chat completions in OpenAI's form."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import JSONBody
from litestar.response import Stream

from api.access.browsers import base_url
from api.access.caller import Caller
from api.access.keys import needs
from api.compat.openai_chat import CompletionForm, failed, first_hits, respond_in_form
from api.compat.openai_query import start
from api.compat.openai_types import ChatCompletion, ChatRequest
from api.http import sse
from api.http.contract import StreamedOperation, answered, openai_problems
from api.http.hangup import unless_gone
from api.service import Service
from api.telemetry.trace import server_timing


@post(
    "/v1/chat/completions",
    operation_id="chat_completions",
    opt=needs("search", "answer"),
    operation_class=StreamedOperation,
    responses={200: answered(ChatCompletion, "The answer, or its chunks."), **openai_problems(404, 413)},
    status_code=200,
    tags=["queries"],
    exception_handlers={HTTPException: respond_in_form, Exception: respond_in_form},
)
async def chat_completions(
    data: JSONBody[ChatRequest],
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> Response[ChatCompletion] | Stream:
    """Answers the last message from a collection, as OpenAI's API does. `model` is the collection's name.

    Citations are annotations of the answer: the mark's position, the document and the quote. An answer that
    no passage supports is replaced by a fixed sentence; `excerpta.plan.answer.unsupported: "show"` shows it.
    With `stream`, the reply is server-sent events: chunks, then `[DONE]`. Errors have OpenAI's form.
    """
    running = await start(service.engine, data, caller)
    form = CompletionForm(running, data.model, base_url(request, service.settings))
    if not data.stream:
        reply = await unless_gone(request, running.whole(explain=False))
        return Response(form.whole(reply), headers={"Server-Timing": server_timing(reply.timings_ms)})
    events = running.events()
    found = await first_hits(events)
    usage = data.stream_options is not None and data.stream_options.include_usage
    chunks = sse.stream(
        form.chunks(events, found, usage=usage),
        closing=service.closing,
        keep_alive_s=service.settings.keep_alive_s,
        encoded=bytes,
        failed=failed,
    )
    return Stream(chunks, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


CHAT = [chat_completions]
