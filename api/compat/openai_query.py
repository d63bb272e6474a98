"""A chat completion's request as a query: its messages, its parameters, its plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from excerpta.types import AnswerOptions, PlanOptions, SearchRequest
from excerpta.types.plan import MOST_ANSWER_TOKENS

from api.access.caller import Caller
from api.compat.openai_types import ChatMessage, ChatRequest, ChatSearch
from api.errors import InvalidRequest
from api.query.engine import QueryEngine, RunningQuery
from api.query.pipeline import MOST_CHARACTERS
from context import Turn

_LONGEST_QUESTION = 20_000
_MOST_STOPS = 16
_SEEDS = 2**31
_STANDING = ("system", "developer")


async def start(engine: QueryEngine, request: ChatRequest, caller: Caller) -> RunningQuery:
    """Starts the query of a chat completion. Raises InvalidRequest and the errors of a query."""
    refuse(request)
    *before, last = request.messages
    if last.role != "user":
        raise InvalidRequest("messages", "the last one has to be the user's: it is the question")
    question = text_of(last)
    if not question.strip():
        raise InvalidRequest("messages", "the last one has no words; ask something")
    if len(question) > _LONGEST_QUESTION:
        raise InvalidRequest("messages", f"the last one has more than {_LONGEST_QUESTION} characters")
    turns, instructions = conversation(before)
    if len(instructions) > MOST_CHARACTERS:
        instructions = instructions[:MOST_CHARACTERS]
        cut = [f"the instructions have more than {MOST_CHARACTERS} characters; the rest was not read"]
    else:
        cut = []
    search = request.excerpta or ChatSearch()
    asked = SearchRequest(
        collection=request.model,
        query=question,
        filter=search.filter,
        limit=search.limit,
        plan=plan_of(request, search.plan),
        timeout_ms=search.timeout_ms,
    )
    running = await engine.start(asked, caller=caller, conversation=turns, instructions=instructions)
    running.stages.trace.warnings += [*warnings(request), *cut]
    return running


def refuse(request: ChatRequest) -> None:
    """Raises InvalidRequest, by name, for a parameter that would change the form of the reply."""
    for name, reason in _refusals(request):
        raise InvalidRequest(name, reason)


def _refusals(request: ChatRequest) -> Iterator[tuple[str, str]]:
    leave = "Leave it out"
    if request.tools or request.functions:
        yield "tools" if request.tools else "functions", f"this service calls no tools. {leave}"
    if request.tool_choice not in (None, "none", "auto"):
        yield "tool_choice", f'this service calls no tools. {leave}, or send "none"'
    if request.function_call not in (None, "none", "auto"):
        yield "function_call", f"this service calls no tools. {leave}"
    if request.response_format is not None and request.response_format.type != "text":
        yield "response_format.type", f"answers are text; other formats are not written. {leave}"
    if request.n is not None and request.n != 1:
        yield "n", "this service writes one answer. Ask again for another"
    if request.logprobs or request.top_logprobs:
        yield "logprobs", f"this service does not report them. {leave} or send false"
    if request.modalities is not None and set(request.modalities) != {"text"}:
        yield "modalities", f"answers are text. {leave}"
    for name in ("audio", "prediction", "web_search_options"):
        if getattr(request, name) is not None:
            yield name, f"this service does not support it. {leave}"
    if isinstance(request.stop, list) and len(request.stop) > _MOST_STOPS:
        yield "stop", f"at most {_MOST_STOPS} texts can end an answer"


def warnings(request: ChatRequest) -> list[str]:
    """The parameters that were accepted and are not followed to the letter."""
    found = [
        f"`{name}` has no effect"
        for name in ("frequency_penalty", "presence_penalty", "logit_bias", "min_p")
        if getattr(request, name)
    ]
    if (_tokens(request) or 0) > MOST_ANSWER_TOKENS:
        found.append(f"an answer has at most {MOST_ANSWER_TOKENS} tokens; the request asked for more")
    return found


def conversation(messages: Sequence[ChatMessage]) -> tuple[list[Turn], str]:
    """The earlier messages: what was asked and answered, and all instructions as one text.

    Raises InvalidRequest for messages of tools.
    """
    turns: list[Turn] = []
    standing: list[str] = []
    for one in messages:
        text = text_of(one)
        if not text.strip():
            continue
        if one.role in _STANDING:
            standing.append(" ".join(text.split()))
        else:
            turns.append(Turn("user" if one.role == "user" else "assistant", text))
    return turns, " ".join(standing)


def text_of(message: ChatMessage) -> str:
    """The text of a message. Raises InvalidRequest for other content, and for messages of tools."""
    if message.role in ("tool", "function"):
        raise InvalidRequest("messages", f"one has the role {message.role!r}; this service calls no tools")
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for part in message.content:
        if part.text is None and part.refusal is None:
            raise InvalidRequest("messages", f"one has a part of the type {part.type!r}; only text is read")
    return "\n".join(part.text or part.refusal or "" for part in message.content)


def plan_of(request: ChatRequest, plan: str | PlanOptions | None) -> PlanOptions:
    """The plan, with the answer settings of the request. An unsupported answer is refused by default."""
    tokens = _tokens(request)
    stops = [request.stop] if isinstance(request.stop, str) else request.stop
    said: dict[str, Any] = {
        "max_tokens": None if tokens is None else min(tokens, MOST_ANSWER_TOKENS),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": None if request.seed is None else request.seed % _SEEDS,
        "stop": None if stops is None else [stop for stop in stops if stop],
    }
    changes = {name: value for name, value in said.items() if value is not None}
    plan = PlanOptions(base=plan) if isinstance(plan, str) else plan or PlanOptions()
    if plan.answer is None:
        raise InvalidRequest(
            "excerpta.plan.answer", "a chat completion needs an answer; ask /v1/search for none"
        )
    answer = plan.answer if isinstance(plan.answer, AnswerOptions) else AnswerOptions()
    if answer.unsupported is msgspec.UNSET:
        changes["unsupported"] = "refuse"
    return msgspec.structs.replace(plan, answer=msgspec.structs.replace(answer, **changes))


def _tokens(request: ChatRequest) -> int | None:
    return request.max_completion_tokens or request.max_tokens
