"""What LangChain, LlamaIndex, LiteLLM, Open WebUI and the `openai` package send, sent again as it was recorded."""

from __future__ import annotations

import msgspec
import pytest

from tests.support import ROOT

pytestmark = pytest.mark.long

FOLDER = ROOT / "tests" / "fixtures" / "openai_clients"
CALLS = {
    path.stem: msgspec.json.decode(path.read_bytes())
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "versions"
}
REFUSED = {
    "langchain-tools-refused": "tools",
    "langchain-structured-refused": "response_format.type",
}
TEXT = "Travel above 2000 euros is approved by the head of finance, for contractors too."


@pytest.fixture
async def filled(shared_api):
    await shared_api.made("handbook")
    await shared_api.put({"id": "travel", "title": "Travel", "text": TEXT}, collection="handbook")
    return shared_api


async def sent(api, name):
    call = CALLS[name]
    body = call.get("body")
    if body is not None:
        # A few tokens are enough: the words of a random network mean nothing.
        body = body | {"excerpta": {"plan": {"answer": {"max_tokens": 8}}}}
        body = {
            key: value for key, value in body.items() if key not in ("max_tokens", "max_completion_tokens")
        }
    return await api(call["method"], call["path"], json=body)


@pytest.mark.parametrize("name", sorted(CALLS.keys() - REFUSED.keys()))
async def test_a_recorded_request_is_answered(filled, name):
    reply = await sent(filled, name)
    assert reply.status_code == 200, reply.text
    if CALLS[name]["method"] == "GET":
        assert [one["id"] for one in reply.json()["data"]] == ["handbook"]
    elif CALLS[name]["body"].get("stream"):
        assert reply.text.endswith("data: [DONE]\n\n")
        wants_usage = CALLS[name]["body"].get("stream_options", {}).get("include_usage", False)
        assert ('"completion_tokens"' in reply.text) == wants_usage
    else:
        assert reply.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_what_this_service_does_not_do_is_refused_by_name(filled, name):
    reply = await sent(filled, name)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == REFUSED[name]


def test_every_client_is_there():
    assert {name.partition("-")[0] for name in CALLS} == {
        "openai",
        "langchain",
        "llamaindex",
        "litellm",
        "openwebui",
    }
    assert set(REFUSED) <= set(CALLS)


def test_the_longest_answers_that_clients_ask_for_are_recorded():
    asked = [call["body"].get("max_completion_tokens", 0) for call in CALLS.values() if "body" in call]
    assert max(asked) > 2048
