"""Chat completions, asked by OpenAI's own client."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import openai
import pytest

from api.compat.openai_query import conversation, plan_of, warnings
from api.compat.openai_types import ChatMessage, ChatRequest
from api.errors import InvalidRequest
from api.query.answer import NO_SUPPORT
from api.query.pipeline import said_before
from context import Turn

pytestmark = pytest.mark.long

TRAVEL = "Travel above 2000 euros is approved by the head of finance. Dogs stay at home."
QUESTION = "Travel above 2000 euros is approved by the head of finance."
PLAN = {"base": "balanced", "compress": None, "answer": {"max_tokens": 8, "unsupported": "show"}}
REFUSING = {"base": "balanced", "compress": None, "answer": {"max_tokens": 8}}


@pytest.fixture
def api(shared_api):
    return shared_api


@pytest.fixture
async def filled(api):
    await api.made("handbook")
    await api.put({"id": "travel/eu 1", "title": "Travel policy", "text": TRAVEL}, collection="handbook")
    await api.put({"id": "tides", "text": "Tides are caused by the moon."}, collection="handbook")
    return api


def client_of(api, **options):
    transport = httpx2.ASGITransport(api.app, raise_app_exceptions=False)
    http = httpx2.AsyncClient(transport=transport, base_url="http://test")
    return openai.AsyncOpenAI(
        base_url="http://test/v1", http_client=http, **{"api_key": "none", "max_retries": 0, **options}
    )


@pytest.fixture
async def client(filled):
    async with client_of(filled) as client:
        yield client


@pytest.fixture
def says(monkeypatch):
    """Has the model say a sentence, whatever it reads."""

    def say(text):
        async def steps(self, stream, trace):
            while await stream.next() is not None:
                pass
            for word in text.split(" "):
                yield word + " "
            self.answer.finish_reason = "stop"

        monkeypatch.setattr("api.query.answer.CitedAnswer._steps", steps)

    return say


def ask(client, *messages, plan=PLAN, **options):
    said = {
        "messages": list(messages) or [{"role": "user", "content": QUESTION}],
        "extra_body": {"excerpta": {"plan": plan}},
    }
    return client.chat.completions.create(model="handbook", **(said | options))


async def test_an_answer_with_its_usage(client, filled):
    reply = await ask(client)
    own = await filled("POST", "/v1/query", json={"collection": "handbook", "query": QUESTION, "plan": PLAN})
    answer, usage = own.json()["answer"], own.json()["usage"]
    assert reply.object == "chat.completion"
    assert reply.id.startswith("chatcmpl-")
    assert reply.model == "handbook"
    (choice,) = reply.choices
    assert (choice.message.role, choice.message.content) == ("assistant", answer["text"])
    assert choice.finish_reason == answer["finish_reason"] == "length"
    assert reply.usage.completion_tokens == usage["generated_tokens"] == 8
    assert reply.usage.prompt_tokens == usage["context_tokens"] + usage["question_tokens"] > 20
    assert reply.usage.prompt_tokens_details.cached_tokens <= usage["context_tokens"]


async def test_citations_are_annotations(client, filled, says):
    says("Travel above 2000 euros is approved by the head of finance. Whales sing.")
    reply = await ask(client)
    message = reply.choices[0].message
    assert message.content.startswith(f"{QUESTION[:-1]} [1]. Whales sing.")
    (annotation,) = message.annotations
    cited = annotation.url_citation
    assert annotation.type == "url_citation"
    assert message.content[cited.start_index : cited.end_index] == "[1]"
    assert (cited.title, cited.document_id) == ("Travel policy", "travel/eu 1")
    assert TRAVEL[cited.document_start : cited.document_end] == cited.quote
    assert cited.url.startswith("http://test/v1/collections/handbook/documents/travel")
    document = (await filled("GET", cited.url.removeprefix("http://test"))).json()
    assert document["text"] == TRAVEL


async def test_a_stream_says_what_a_reply_says(client, says):
    says("Travel above 2000 euros is approved by the head of finance. Whales sing.")
    whole = await ask(client)
    stream = await ask(client, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    annotations = [one for delta in deltas for one in getattr(delta, "annotations", None) or []]
    wanted = [one.model_dump() for one in whole.choices[0].message.annotations]
    assert annotations == wanted
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_ends_with_done(filled):
    body = {"model": "handbook", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    reply = await filled("POST", "/v1/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.endswith("data: [DONE]\n\n")
    assert reply.text.count("[DONE]") == 1
    assert '"usage"' not in reply.text or '"usage":null' in reply.text


async def test_what_the_documents_do_not_hold_is_said(client):
    reply = await ask(client, {"role": "user", "content": "Quarterly xylophone zebra jackpot?"})
    assert "not answer" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message.annotations == []


async def test_parameters_do_what_they_say(client):
    async def text(**options):
        return (await ask(client, **options)).choices[0].message.content

    assert (await ask(client, max_tokens=3)).usage.completion_tokens == 3
    assert (await ask(client, max_completion_tokens=2, max_tokens=5)).usage.completion_tokens == 2
    greedy = await text()
    sampled = {seed: await text(temperature=2.0, seed=seed) for seed in (1, 2, 3)}
    assert sampled[1] == await text(temperature=2.0, seed=1)
    assert sampled[1] == await text(temperature=2.0, seed=1 - 2**31)
    assert len({greedy, *sampled.values()}) > 2
    assert await text(temperature=2.0, top_p=0, seed=1) == greedy
    stop = greedy[len(greedy) // 2]
    assert await text(stop=[stop]) == greedy[: greedy.index(stop)]


async def test_what_clients_send_by_default_changes_nothing(client):
    plain = await ask(client)
    neutral = {"n": 1, "top_p": 1, "logprobs": False, "stop": [], "tools": [], "tool_choice": "none"}
    neutral |= {"frequency_penalty": 0, "presence_penalty": 0, "logit_bias": {}, "functions": []}
    ignored = {"user": "u", "metadata": {"a": "b"}, "store": True, "service_tier": "auto"}
    ignored |= {"parallel_tool_calls": True, "response_format": {"type": "text"}, "modalities": ["text"]}
    same = await ask(client, **neutral, **ignored, stream_options={"include_usage": True})
    assert same.choices[0].message.content == plain.choices[0].message.content
    assert same.warnings == plain.warnings == []


async def test_what_has_no_effect_is_named_and_too_many_tokens_are_lowered(client):
    reply = await ask(client, presence_penalty=0.5, frequency_penalty=-1, logit_bias={"5": 1})
    assert [one.split("`")[1] for one in reply.warnings] == [
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
    ]
    asked = ChatRequest(model="handbook", messages=[], max_tokens=1_000_000)
    assert plan_of(asked, None).answer.max_tokens == 2048
    assert warnings(asked) == ["an answer has at most 2048 tokens; the request asked for more"]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"n": 2}, "n"),
        ({"top_p": 1.5}, "top_p"),
        ({"stop": ["."] * 17}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.type"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"temperature": 9}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"extra_body": {"top_k": 5}}, None),
        ({"extra_body": {"excerpta": {"plan": "none"}}}, None),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages",
        ),
        ({"messages": [{"role": "user", "content": "x" * 20_001}]}, "messages"),
        ({"messages": []}, "messages"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(api, options, param):
    await api.made("handbook")
    async with client_of(api) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(client, **options)
    assert refused.value.type == "invalid_request_error"
    assert param is None or refused.value.param == param
    assert refused.value.body["message"]


async def test_errors_have_openais_form(filled, client):
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="nothing", messages=[{"role": "user", "content": "x"}])
    assert unknown.value.code == "model_not_found"
    with filled.service.device.admit(10**6):
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as busy:
                await ask(client, stream=stream)
            assert busy.value.status_code == 503
            assert busy.value.code == "overloaded"
            assert int(busy.value.response.headers["retry-after"]) >= 1


async def test_an_error_in_a_stream_is_an_error_of_the_client(client, monkeypatch):
    async def steps(self, stream, trace):
        yield "Well, "
        raise RuntimeError("password is hunter2")

    monkeypatch.setattr("api.query.answer.CitedAnswer._steps", steps)
    stream = await ask(client, stream=True)
    assert (await anext(stream)).choices[0].delta.role == "assistant"
    with pytest.raises(openai.APIError) as failed:
        _ = [chunk async for chunk in stream]
    assert "hunter2" not in str(failed.value)
    assert failed.value.code == "internal-error"


async def test_a_key_is_needed_where_there_are_keys(settings, open_api):
    async with open_api(replace(settings, api_keys=("k" * 20,))) as api:
        headers = {"Authorization": "Bearer " + "k" * 20}
        await api.client.put("/v1/collections/handbook", json={}, headers=headers)
        async with client_of(api) as stranger:
            with pytest.raises(openai.AuthenticationError) as refused:
                await ask(stranger)
            assert refused.value.type == "authentication_error"
        async with client_of(api, api_key="k" * 20) as known:
            assert (await ask(known)).choices[0].message.content


async def test_a_follow_up_is_searched_and_read_with_what_came_before(client, filled, monkeypatch):
    asked = []
    start = filled.service.networks.engine.start
    monkeypatch.setattr(
        filled.service.networks.engine,
        "start",
        lambda question, *a, **o: asked.append(question) or start(question, *a, **o),
    )
    alone = await ask(client, {"role": "user", "content": "And by whom is it?"})
    assert "not answer" in alone.choices[0].message.content
    assert asked == []
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": "It is [1]."},
        {"role": "user", "content": "And by whom is it?"},
    ]
    reply = await ask(client, *turns)
    assert "not answer" not in reply.choices[0].message.content
    assert "finance" in reply.query
    (read,) = asked
    assert read == f"Instructions: Be brief.\nUser: {QUESTION}\nAssistant: It is.\n\n{reply.query}"
    as_said = await ask(client, *turns, plan=PLAN | {"rewrite": None})
    assert as_said.query == "And by whom is it?"


async def test_our_own_reply_is_a_message_of_the_next_request(client, says):
    says(QUESTION)
    first = {"role": "user", "content": QUESTION}
    said = (await ask(client, first)).choices[0].message
    assert said.annotations
    for back in (said, said.model_dump(), said.model_dump() | {"audio": None, "function_call": None}):
        reply = await ask(client, first, back, {"role": "user", "content": "Why is it?"})
        assert reply.choices[0].message.content


async def test_an_invention_is_refused_in_every_form(client, says):
    says("The admin password is 1234. It is said to be a secret.")
    reply = await ask(client, plan=REFUSING)
    assert reply.choices[0].message.content == NO_SUPPORT
    assert (reply.supported, reply.choices[0].finish_reason) == (False, "stop")
    chunks = [chunk async for chunk in await ask(client, plan=REFUSING, stream=True)]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == NO_SUPPORT
    assert chunks[-1].supported is False
    shown = await ask(client)
    assert "1234" in shown.choices[0].message.content
    assert shown.supported is False


async def test_a_refusing_stream_holds_sentences_until_one_is_cited(client, says):
    says(f"Well, it is so. {QUESTION} Whales sing.")
    whole = await ask(client, plan=REFUSING)
    chunks = [chunk async for chunk in await ask(client, plan=REFUSING, stream=True)]
    pieces = [piece for chunk in chunks if (piece := chunk.choices[0].delta.content)]
    assert "".join(pieces) == whole.choices[0].message.content
    assert "Well, it is so." in whole.choices[0].message.content
    assert len(whole.choices[0].message.annotations) == 1
    assert whole.supported
    assert (chunks[-1].supported, chunks[-1].query) == (True, QUESTION)


async def test_collections_are_listed_as_models(client, filled):
    listed = [model async for model in client.models.list()]
    assert [(one.id, one.object, one.owned_by) for one in listed] == [("handbook", "model", "excerpta")]
    one = await client.models.retrieve("handbook")
    assert one.model_dump() == listed[0].model_dump()
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.models.retrieve("nothing")
    assert unknown.value.code == "model_not_found"
    assert (await filled("GET", "/v1/models")).json()["profile"]


async def test_a_long_message_is_read_in_part_with_a_warning(client, says):
    says(QUESTION)
    talk = "We walked along the river and talked about the weather. " * 300
    reply = await ask(client, {"role": "user", "content": f"{talk}{QUESTION[:-1]}?"})
    (warning,) = reply.warnings
    assert "read in part" in warning
    assert reply.query.endswith(f"{QUESTION[:-1]}?")
    assert reply.supported
    stream = await ask(client, {"role": "user", "content": f"{talk}{QUESTION[:-1]}?"}, stream=True)
    assert [chunk async for chunk in stream][-1].warnings == [warning]


async def test_long_instructions_are_read_in_part_with_a_warning(client, says):
    says(QUESTION)
    messages = [{"role": "system", "content": "Be brief. " * 600}, {"role": "user", "content": QUESTION}]
    reply = await ask(client, *messages)
    assert reply.supported
    (warning,) = reply.warnings
    assert "instructions" in warning


def test_a_conversation_is_turns_and_instructions():
    def message(role, text):
        return ChatMessage(role=role, content=text)

    turns, instructions = conversation(
        [message("system", "Be  brief."), message("user", "Who?"), message("assistant", None)]
    )
    assert (turns, instructions) == ([Turn("user", "Who?")], "Be brief.")
    with pytest.raises(InvalidRequest):
        conversation([message("tool", "x")])


def test_a_long_conversation_keeps_its_instructions_and_its_end():
    lines = said_before("Be brief.", [Turn("user", f"{n} " + "x" * 1000) for n in range(8)]).split("\n")
    assert lines[0] == "Instructions: Be brief."
    assert [line[6] for line in lines[1:]] == ["5", "6", "7"]
    assert said_before("", []) == ""
