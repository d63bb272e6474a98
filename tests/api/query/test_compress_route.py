"""`POST /v1/compress`: every option of a method, the method that was used, and refusals."""

import msgspec
import pytest
from excerpta.types.compress import Lexical

TEXT = "Travel is approved by finance. The moon is 384400 km away, in short: far. " * 5


@pytest.fixture
def compress(api):
    async def compress(**body):
        return await api("POST", "/v1/compress", json={"texts": [TEXT], "target_tokens": 40} | body)

    return compress


async def test_the_reply_names_the_method_that_was_used(compress):
    for method, query in (("auto", "moon"), ("auto", " \r\n"), ("lexical", "")):
        body = (await compress(method=method, query=query)).json()
        assert body["method"] == "lexical", "the profile has no other"
        assert body["texts"][0]["tokens_after"] <= 40


async def test_options_of_the_method_reach_it(compress):
    def text(reply):
        return reply.json()["texts"][0]["text"]

    usual = text(await compress(query="finance"))
    assert text(await compress(query="finance", options={"window": 1})) != usual
    assert "384400" in text(await compress(query="finance", options={"digits": True}))
    assert text(await compress(target_tokens=0)) == ""


async def test_with_the_encoder_similarity_counts(compress):
    texts = [f"{TEXT} {at}" for at in range(3)]

    async def kept(**body):
        reply = await compress(texts=texts, query="is finance far?", **body)
        return [one["kept"] for one in reply.json()["texts"]]

    off = {"text_weight": 0, "sentence_weight": 0}
    assert await kept(encode=True) != await kept()
    assert await kept(encode=True, options=off) == await kept()


@pytest.mark.parametrize(
    ("body", "slug", "says"),
    [
        ({"method": "magic"}, "unknown-method", "lexical"),
        ({"options": {"wndow": 3}}, "invalid-option", "window"),
        ({"options": {"window": 2}}, "invalid-option", "odd"),
        ({"options": {"target_tokens": 20}}, "invalid-request", "beside the options"),
        ({"options": {"method": "lexical"}}, "invalid-request", "beside the options"),
        ({"method": "token-classifier"}, "method-unavailable", "token_classifier"),
    ],
)
async def test_refusals_name_what_is_allowed(compress, problem, body, slug, says):
    assert says in problem(await compress(**body), 422, slug)["detail"]


def test_the_client_sends_options(monkeypatch):
    from excerpta import Client

    sent = {}
    client = Client("http://localhost:1")
    monkeypatch.setattr(client._http, "call", lambda *call, body, retry: sent.update(body))
    client.compress(["a"], query="b", method=Lexical(window=3, target_tokens=99))
    assert (sent["method"], sent["target_tokens"]) == ("lexical", 99)
    assert sent["options"] == {
        name: value
        for name, value in msgspec.to_builtins(Lexical(window=3)).items()
        if name not in ("method", "target_tokens", "when")
    }
    assert sent["options"]["window"] == 3
    client.compress(["a"], target_tokens=7)
    assert (sent["method"], sent["target_tokens"]) == ("auto", 7)
    client.close()
