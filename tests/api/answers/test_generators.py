"""Answers written elsewhere: over a real socket, by a service that behaves, and by ones that do not."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import uvicorn
from litestar import Litestar, Request, Response, post
from litestar.response import Stream

from api.answers.remote import RemoteWriter
from models import load_profile
from models.errors import GeneratorFailed, InvalidProfile
from models.networks.openai_client import ChatClient, Ended
from models.profile import GeneratorSpec

TRAVEL = "Travel above 2000 euros is approved by the head of finance. Dogs stay at home."
QUESTION = "Travel above 2000 euros is approved by the head of finance?"
KEY = "sk-hunter2-hunter2-hunter2"


def chunk(content=None, reason=None, **members):
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": reason}
    return b"data: " + msgspec.json.encode({"choices": [choice], **members}) + b"\n\n"


class Elsewhere:
    """A service that answers as `behave` says and notes what it was asked."""

    def __init__(self):
        self.asked, self.keys, self.hung_up = [], [], threading.Event()
        self.behave = "well"
        self.url = ""

    async def reply(self, request):
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        if self.behave == "refuse":
            body = {"error": {"message": "no such model", "type": "invalid_request_error"}}
            return Response(body, status_code=404)
        if self.behave == "babble":
            return Response("<html>busy</html>", status_code=502, media_type="text/html")
        return Stream(self.pieces(), media_type="text/event-stream")

    async def pieces(self):
        yield b": hello\n\n"
        yield chunk("Travel above 2000 euros is approved ")
        if self.behave == "silent":
            await asyncio.sleep(30)
        if self.behave == "endless":
            try:
                while True:
                    yield chunk("and ")
                    await asyncio.sleep(0.01)
            finally:
                self.hung_up.set()
        if self.behave == "break":
            return
        if self.behave == "nonsense":
            yield b"data: {nonsense\n\n"
        if self.behave == "fail":
            yield b'data: {"error": {"message": "out of memory"}}\n\n'
            return
        yield chunk("by the head of finance [7]. Whales sing.")
        yield chunk(reason="length" if self.behave == "long" else "stop")
        if self.behave != "uncounted":
            usage = msgspec.json.encode(
                {"choices": [], "usage": {"prompt_tokens": 90, "completion_tokens": 17, "total_tokens": 107}}
            )
            yield b"data: " + usage + b"\n\n"
        yield b"data: [DONE]\n\n"


@pytest.fixture
def elsewhere():
    service = Elsewhere()

    @post("/v1/chat/completions", status_code=200)
    async def chat(request: Request) -> Response | Stream:
        return await service.reply(request)

    config = uvicorn.Config(
        Litestar([chat], logging_config=None), port=0, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    port = server.servers[0].sockets[0].getsockname()[1]
    service.url = f"http://127.0.0.1:{port}/v1"
    yield service
    server.should_exit = True
    thread.join(10)


def profile_with(settings, tmp_path, url, **members) -> Path:
    spec = {"base_url": url, "model": "large", **members}
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in spec.items()]
    file = tmp_path / "elsewhere.toml"
    file.write_text(f'extends = "{Path(settings.profile).stem}"\n[generator]\n' + "\n".join(lines))
    # What a profile extends is looked for beside it.
    own = Path(settings.profile)
    (tmp_path / own.name).write_text(own.read_text())
    for sibling in own.parent.iterdir():
        if sibling != own and not (tmp_path / sibling.name).exists():
            (tmp_path / sibling.name).symlink_to(sibling)
    return file


@pytest.fixture
async def opened(settings, open_api, tmp_path, elsewhere, monkeypatch):
    monkeypatch.setenv("ELSEWHERE_KEY", KEY)
    profile = profile_with(settings, tmp_path, elsewhere.url, key_env="ELSEWHERE_KEY", timeout_s=1.0)
    async with open_api(replace(settings, profile=str(profile))) as api:
        await api.made()
        await api.put({"id": "travel", "title": "Travel policy", "text": TRAVEL})
        yield api


def body(**members):
    return {
        "collection": "c",
        "query": QUESTION,
        "plan": {"compress": None, "answer": {"max_tokens": 33, "temperature": 0.5, "seed": 4}},
        **members,
    }


async def test_an_answer_from_elsewhere_is_cited_here(opened, elsewhere):
    reply = (await opened("POST", "/v1/query", json=body())).json()
    answer = reply["answer"]
    assert answer["text"] == "Travel above 2000 euros is approved by the head of finance [1]. Whales sing."
    assert answer["supported"] is True
    assert answer["finish_reason"] == "stop"
    (citation,) = answer["citations"]
    assert TRAVEL[citation["start"] : citation["end"]] == citation["quote"]
    assert (reply["usage"]["question_tokens"], reply["usage"]["generated_tokens"]) == (90, 17)
    (asked,) = elsewhere.asked
    assert (asked["model"], asked["max_tokens"], asked["temperature"], asked["seed"]) == ("large", 33, 0.5, 4)
    assert [one["role"] for one in asked["messages"]] == ["system", "user"]
    assert f'<document title="Travel policy">\n{TRAVEL}\n</document>' in asked["messages"][1]["content"]
    assert asked["messages"][1]["content"].endswith(QUESTION)
    assert elsewhere.keys == [f"Bearer {KEY}"]
    assert isinstance(opened.service.writer, RemoteWriter)


async def test_a_prompts_modules_come_first(opened, elsewhere):
    module = {"name": "role", "text": "You help {team}.\n", "parameters": {"team": 8}}
    assert (await opened("PUT", "/v1/prompts/p", json={"modules": [module]})).status_code == 200
    prompt = {"name": "p", "parameters": {"team": "pilots"}}
    plan = body()["plan"] | {"context": {"prompt": prompt}}
    await opened("POST", "/v1/query", json=body(plan=plan))
    content = elsewhere.asked[0]["messages"][1]["content"]
    assert content.startswith("You help pilots.\n\nDocuments:\n\n<document")


async def test_ends_and_counts_as_the_service_tells(opened, elsewhere):
    elsewhere.behave = "long"
    assert (await opened("POST", "/v1/query", json=body())).json()["answer"]["finish_reason"] == "length"
    elsewhere.behave = "uncounted"
    usage = (await opened("POST", "/v1/query", json=body())).json()["usage"]
    assert usage["generated_tokens"] == 2


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        ("refuse", "status 404, no such model"),
        ("babble", "status 502, no reason given"),
        ("silent", "sent nothing for too long"),
        ("break", "broke off"),
        ("nonsense", "not a stream of chunks"),
        ("fail", "out of memory"),
    ],
)
async def test_what_goes_wrong_elsewhere_is_said(opened, elsewhere, problem, behave, says, caplog):
    elsewhere.behave = behave
    with caplog.at_level(logging.DEBUG):
        reply = problem(await opened("POST", "/v1/query", json=body()), 502, "generator-failed")
    assert says in reply["detail"]
    assert elsewhere.url in reply["detail"]
    assert "hunter2" not in caplog.text + str(reply)
    streamed = await opened("POST", "/v1/query", json=body(stream=True))
    assert "event: error" in streamed.text
    assert "generator-failed" in streamed.text


@pytest.mark.process
async def test_a_service_that_is_not_there_is_named(settings, open_api, tmp_path, problem):
    profile = profile_with(settings, tmp_path, "http://127.0.0.1:9/v1")
    async with open_api(replace(settings, profile=str(profile))) as api:
        await api.made()
        await api.put({"id": "travel", "text": TRAVEL})
        reply = problem(await api("POST", "/v1/query", json=body()), 502, "generator-failed")
        assert "ConnectError" in reply["detail"]
        search = await api("POST", "/v1/search", json={"collection": "c", "query": QUESTION})
        assert search.status_code == 200


async def test_time_runs_out_and_the_service_is_hung_up_on(opened, elsewhere):
    elsewhere.behave = "endless"
    reply = (await opened("POST", "/v1/query", json=body(timeout_ms=900))).json()
    assert reply["answer"]["finish_reason"] == "timeout"
    assert reply["partial"] is True
    assert reply["answer"]["text"].startswith("Travel above 2000 euros")
    for _ in range(200):
        if elsewhere.hung_up.is_set():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody hung up")


async def test_this_service_can_be_the_one_elsewhere(settings, open_api, tmp_path, serving):
    """One instance writes what another one asks for, by the route that OpenAI's clients use."""
    url = await serving(settings)
    profile = profile_with(settings, tmp_path, f"{url}/v1")
    text = profile.read_text().replace('"large"', '"handbook"')
    profile.write_text(text)
    async with open_api(replace(settings, profile=str(profile), data_dir=tmp_path / "second")) as api:
        await api.made()
        await api.put({"id": "travel", "title": "Travel policy", "text": TRAVEL})
        reply = (await api("POST", "/v1/query", json=body())).json()
        assert reply["answer"]["text"]
        assert reply["usage"]["generated_tokens"] > 0


@pytest.fixture
async def serving():
    """Starts this service on a socket with a collection `handbook` in it."""
    import httpx

    from api.app import create_app
    from api.commands.serving import Server

    running = []

    async def serve(settings):
        server = Server(uvicorn.Config(create_app(settings), port=0, log_config=None))
        running.append((server, asyncio.create_task(server.serve())))
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            while (await client.get("/health/ready")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await client.put("/v1/collections/handbook", json={})
            documents = {"documents": [{"id": "t", "text": TRAVEL}]}
            assert (
                await client.post("/v1/collections/handbook/documents", json=documents)
            ).status_code == 200
        return url

    yield serve
    for server, task in running:
        server.should_exit = True
        await task


# --- the client and its profile


async def test_pieces_and_the_end_one_by_one(elsewhere):
    writer = ChatClient(GeneratorSpec(base_url=f"{elsewhere.url}/", model="m"))
    written = [one async for one in writer.write([], max_tokens=5, temperature=0)]
    await writer.close()
    assert written[0] == ""
    assert written[-1] == Ended("stop", 90, 17)
    assert elsewhere.keys == [None]
    assert "seed" not in elsewhere.asked[0]


def test_a_key_that_is_not_there_is_named_and_one_that_is_stays_secret(monkeypatch):
    monkeypatch.setenv("ELSEWHERE_KEY", KEY)
    spec = GeneratorSpec(base_url="http://x", model="m", key_env="ELSEWHERE_KEY")
    assert "hunter2" not in repr(vars(ChatClient(spec)))
    monkeypatch.setenv("ELSEWHERE_KEY", " ")
    with pytest.raises(GeneratorFailed, match="ELSEWHERE_KEY"):
        ChatClient(spec)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('base_url = "ftp://x"\nmodel = "m"', "http://"),
        ('base_url = "http://me:secret@x"\nmodel = "m"', "no password"),
        ('base_url = "http://x"\nmodel = ""', "name of a model"),
        ('base_url = "http://x"', "model"),
        ('base_url = "http://x"\nmodel = "m"\ntimeout_s = 0', "timeout_s"),
        ('base_url = "http://x"\nmodel = "m"\nkey = "secret"', "unknown keys key"),
    ],
)
def test_a_profile_says_what_is_wrong_with_its_generator(tmp_path, table, says):
    (tmp_path / "p.toml").write_text(f'extends = "small"\n[generator]\n{table}\n')
    with pytest.raises(InvalidProfile, match=says):
        load_profile(tmp_path / "p.toml")
