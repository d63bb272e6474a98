"""Prompts over HTTP: kept in the database, used by plans, read once; what cannot be used is refused."""

from dataclasses import replace

import httpx2
import pytest
from excerpta import AsyncClient, NotFound

pytestmark = pytest.mark.long

ROLE = {"name": "role", "text": "You help {team}. ", "parameters": {"team": 8}}
TONE = {"name": "tone", "text": "Answer in one word.\n"}
SETTINGS = {"modules": [ROLE, TONE]}
DOCUMENTS = [
    {"id": "travel", "text": "Travel above 2000 euros is approved by the head of finance."},
    {"id": "tides", "text": "Tides are caused by the moon. They come twice a day."},
]


def asked(prompt, collection="c", **context):
    plan = {"rerank": None, "context": {"prompt": prompt, **context}, "answer": {"max_tokens": 6}}
    return {"collection": collection, "query": "Who approves travel above 2000 euros?", "plan": plan}


async def answered(api, prompt, **context):
    reply = await api("POST", "/v1/query", json={**asked(prompt, **context), "explain": True})
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def api(shared_api):
    return shared_api


@pytest.fixture
async def filled(api):
    await api.made()
    await api.put(*DOCUMENTS)
    assert (await api("PUT", "/v1/prompts/support", json=SETTINGS)).status_code == 200
    return api


async def test_prompts_are_kept_replaced_and_deleted(settings, open_api, database_url, problem):
    settings = replace(settings, database_url=database_url)
    async with open_api(settings) as api:
        assert (await api("GET", "/v1/prompts")).json() == {"prompts": []}
        made = (await api("PUT", "/v1/prompts/support", json=SETTINGS)).json()
        assert made["modules"] == [ROLE, {**TONE, "parameters": {}}]
        assert (await api("PUT", "/v1/prompts/brief", json={"modules": [TONE]})).status_code == 200
        again = (await api("PUT", "/v1/prompts/support", json={"modules": [TONE]})).json()
        assert (again["created_at"], again["name"]) == (made["created_at"], "support")
        assert [one["name"] for one in again["modules"]] == ["tone"]
    async with open_api(settings) as api:
        names = [one["name"] for one in (await api("GET", "/v1/prompts")).json()["prompts"]]
        assert names == ["brief", "support"]
        assert (await api("GET", "/v1/prompts/support")).json() == again
        assert (await api("DELETE", "/v1/prompts/support")).json() == again
        for method in ("GET", "DELETE"):
            body = problem(await api(method, "/v1/prompts/support"), 404, "unknown-prompt")
            assert body["prompt"] == "support"


async def test_an_answer_is_written_with_its_prompt(filled):
    plain = await answered(filled, None)
    with_all = await answered(filled, {"name": "support", "parameters": {"team": "pilots"}})
    one = await answered(filled, {"name": "support", "modules": ["tone"]})
    assert plain["plan"]["context"]["prompt"] is None
    assert with_all["plan"]["context"]["prompt"]["parameters"] == {"team": "pilots"}
    read = [reply["usage"]["context_tokens"] for reply in (plain, one, with_all)]
    assert read[0] < read[1] < read[2]
    asked = [reply["usage"]["question_tokens"] for reply in (plain, one, with_all)]
    assert asked[0] < asked[1] < asked[2]  # the words that follow modules, and the argument
    assert len({reply["answer"]["text"] for reply in (plain, with_all, one)}) > 1


async def test_modules_are_read_once(filled):
    plain = await answered(filled, None)
    first = await answered(filled, {"name": "support"})
    second = await answered(
        filled, {"name": "support", "parameters": {"team": "pilots"}}, reading={"method": "ape"}
    )
    modules = first["usage"]["context_tokens"] - plain["usage"]["context_tokens"]
    assert modules > 0
    assert first["usage"]["cached_tokens"] == plain["usage"]["context_tokens"]
    assert second["usage"]["cached_tokens"] == second["usage"]["context_tokens"]
    await filled("PUT", "/v1/prompts/support", json=SETTINGS)  # the same: nothing is forgotten
    assert (await answered(filled, {"name": "support"}))["usage"] == {
        **second["usage"],
        "question_tokens": first["usage"]["question_tokens"],
    }
    await filled("PUT", "/v1/prompts/support", json={"modules": [TONE, ROLE]})
    third = await answered(filled, {"name": "support"})
    assert third["usage"]["cached_tokens"] == plain["usage"]["context_tokens"]


async def test_a_collections_plan_may_name_a_prompt(filled, problem):
    stored = asked({"name": "support", "parameters": {"team": "pilots"}})["plan"]
    await filled.made("d", plan=stored)
    await filled.put(*DOCUMENTS, collection="d")
    body = {"collection": "d", "query": "Who approves travel?", "explain": True}
    used = (await filled("POST", "/v1/query", json=body)).json()["plan"]["context"]["prompt"]
    assert used["parameters"] == {"team": "pilots"}
    # A request's prompt takes the place of the stored one as a whole, and null leaves it out.
    for prompt, told in (({"name": "support"}, {}), (None, None)):
        plan = {"context": {"prompt": prompt}}
        reply = (await filled("POST", "/v1/query", json={**body, "plan": plan})).json()
        used = reply["plan"]["context"]["prompt"]
        assert (used and used["parameters"]) == told
    await filled("DELETE", "/v1/prompts/support")
    problem(await filled("POST", "/v1/query", json=body), 404, "unknown-prompt")


@pytest.mark.parametrize(
    ("prompt", "status", "slug"),
    [
        ({"name": "nobody"}, 404, "unknown-prompt"),
        ({"name": "support", "modules": ["nothing"]}, 422, "invalid-prompt"),
        ({"name": "support", "parameters": {"size": "1"}}, 422, "invalid-prompt"),
        ({"name": "support", "modules": ["tone"], "parameters": {"team": "x"}}, 422, "invalid-prompt"),
        ({"name": "support", "parameters": {"team": "far too many tokens " * 9}}, 422, "invalid-prompt"),
        ({"name": "support", "module": ["tone"]}, 422, "invalid-request"),
        ({}, 422, "invalid-request"),
    ],
)
async def test_a_plan_that_names_what_is_not_there_is_refused(filled, problem, prompt, status, slug):
    problem(await filled("POST", "/v1/query", json=asked(prompt)), status, slug)


@pytest.mark.parametrize(
    ("modules", "slug"),
    [
        ([], "invalid-request"),
        ([{"name": "m", "text": ""}], "invalid-request"),
        ([{"name": "m", "text": "x" * 20_001}], "invalid-request"),
        ([{"name": "m/n", "text": "x"}], "invalid-request"),
        ([{"name": "m", "text": "x {a}", "parameters": {"a": 0}}], "invalid-request"),
        ([{"name": f"m{n}", "text": "x"} for n in range(33)], "invalid-request"),
        ([TONE, TONE], "invalid-prompt"),
        ([{"name": "m", "text": "x {a}"}], "invalid-prompt"),
        ([{"name": "m", "text": '{"json": 1}'}], "invalid-prompt"),
        ([{"name": "m", "text": "many words " * 1800}], "input-too-long"),
    ],
)
async def test_modules_that_cannot_be_used_are_refused(api, problem, modules, slug):
    problem(await api("PUT", "/v1/prompts/p", json={"modules": modules}), 422, slug)
    assert (await api("GET", "/v1/prompts")).json() == {"prompts": []}


async def test_a_name_that_cannot_be_used_is_refused(api, problem):
    problem(await api("PUT", "/v1/prompts/-", json=SETTINGS), 422, "invalid-request")


async def test_the_client_keeps_prompts(filled):
    transport = httpx2.ASGITransport(filled.app)
    async with AsyncClient("http://test", transport=transport) as client:
        made = await client.prompts.put("mine", [TONE])
        assert made.modules[0].text == TONE["text"]
        assert [one.name for one in await client.prompts.list()] == ["mine", "support"]
        assert await client.prompts.get("mine") == made
        plan = {"context": {"prompt": {"name": "mine"}}}
        reply = await client.collections.get("c").ask("Who approves travel?", plan=plan)
        assert reply.answer is not None
        assert await client.prompts.delete("mine") == made
        with pytest.raises(NotFound):
            await client.prompts.get("mine")
