"""The server as a process of its own: killed, told to end, asked over a real socket."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import msgspec
import pytest

from api.commands.serve import main
from retrieval.tokens import faiss_facts


def ndjson(count):
    return b"".join(
        msgspec.json.encode({"id": f"d{n:05}", "text": f"Document {n} is about the moon and tides."}) + b"\n"
        for n in range(count)
    )


def wait_for(url, job, until, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        state = httpx.get(f"{url}/v1/jobs/{job}").json()
        if until(state):
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def check_every_document_is_there_once(url, count):
    assert httpx.post(f"{url}/v1/collections/c/verify").json() == {"corrupt": []}
    info = httpx.get(f"{url}/v1/collections/c").json()
    assert info["documents"] == info["passages"] == count
    for number in random.Random(0).sample(range(count), 10):
        got = httpx.get(f"{url}/v1/collections/c/documents/d{number:05}").json()
        assert got["passages"] == 1
        assert got["text"].startswith(f"Document {number} ")


def kill_and_finish(serve, count, kills):
    process, url = serve(EXCERPTA_BATCH_DOCUMENTS="8")
    assert httpx.put(f"{url}/v1/collections/c", json={}).status_code == 201
    reply = httpx.post(f"{url}/v1/collections/c/documents:batch", content=ndjson(count))
    assert reply.status_code == 202
    job = reply.json()["id"]
    reached = 0
    for _ in range(kills):
        state = wait_for(url, job, lambda now, reached=reached: now["done"] > reached)
        assert state["state"] == "running", "the job ended before it could be killed: send more documents"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process, url = serve(EXCERPTA_BATCH_DOCUMENTS="8")
        state = httpx.get(f"{url}/v1/jobs/{job}").json()
        assert state["done"] >= reached, "progress never goes back"
        reached = state["done"]
    state = wait_for(url, job, lambda now: now["finished_at"])
    assert (state["state"], state["done"], state["passages"], state["errors"]) == (
        "succeeded",
        count,
        count,
        [],
    )
    check_every_document_is_there_once(url, count)


@pytest.mark.process
def test_killed_in_the_middle_of_a_job_it_finishes_after_a_restart(serve):
    """The lease is ten minutes: the job is taken up at once because its owner is seen to be dead."""
    kill_and_finish(serve, 400, kills=1)


@pytest.mark.process
def test_killed_again_and_again_nothing_is_lost_or_doubled(serve):
    kill_and_finish(serve, 4000, kills=5)


def test_an_answer_streams_and_the_end_of_the_service_is_told(serve):
    process, url = serve()
    httpx.put(f"{url}/v1/collections/c", json={})
    document = {"id": "d", "text": "tides are caused by the gravity of the moon"}
    httpx.post(f"{url}/v1/collections/c/documents", json={"documents": [document]})
    body = {
        "collection": "c",
        "query": "tides are caused by the gravity of the moon",
        "stream": True,
        "plan": {"answer": {"max_tokens": 2000}},
    }
    arrivals, events = [], []
    began = time.monotonic()
    with httpx.stream("POST", f"{url}/v1/query", json=body, timeout=60) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        for line in reply.iter_lines():
            if line.startswith("event: "):
                events.append(line.removeprefix("event: "))
                arrivals.append(time.monotonic() - began)
                if len(events) == 20:
                    ended = time.monotonic()
                    process.send_signal(signal.SIGTERM)
            elif line.startswith("data: ") and events[-1] == "error":
                assert json.loads(line.removeprefix("data: "))["type"] == "/problems/shutting-down"
    assert events[0] == "hits"
    assert events[-1] == "error"
    assert "done" not in events
    assert arrivals[19] > arrivals[1], "events come one by one"
    assert process.wait(20) in (0, -signal.SIGTERM)
    assert time.monotonic() - ended < 10


@pytest.mark.process
def test_a_job_given_back_at_the_end_is_taken_up_by_a_worker(serve):
    """Two processes on one data directory: one answers, one works; the job outlives both kinds of end."""
    variables = {"EXCERPTA_BATCH_DOCUMENTS": "4"}
    process, url = serve("--role", "api", **variables)
    httpx.put(f"{url}/v1/collections/c", json={})
    job = httpx.post(f"{url}/v1/collections/c/documents:batch", content=ndjson(300)).json()["id"]
    time.sleep(0.5)
    assert httpx.get(f"{url}/v1/jobs/{job}").json()["state"] == "queued"
    worker, worker_url = serve("--role", "worker", **variables)
    assert httpx.post(f"{worker_url}/v1/query", json={}).status_code == 404
    wait_for(url, job, lambda now: now["done"] > 0)
    worker.send_signal(signal.SIGTERM)
    worker.wait(20)
    state = httpx.get(f"{url}/v1/jobs/{job}").json()
    if state["state"] != "succeeded":
        assert state["state"] == "queued"
        serve("--role", "worker", **variables)
    wait_for(url, job, lambda now: now["state"] == "succeeded")
    check_every_document_is_there_once(url, 300)
    assert process.poll() is None


@contextmanager
def environment(**variables):
    saved = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def test_an_open_door_is_refused(tmp_path, capsys):
    with environment(EXCERPTA_MAKE_KEY="false"):
        assert main(["--host", "0.0.0.0", "--data", str(tmp_path)]) == 2
    assert "EXCERPTA_API_KEYS" in capsys.readouterr().err
    with environment(EXCERPTA_PORT="many"):
        assert main(["--data", str(tmp_path)]) == 2
    assert "EXCERPTA_PORT" in capsys.readouterr().err


def test_a_faiss_that_cannot_be_used_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(faiss_facts, "_distributions", lambda: ["faiss-cpu", "faiss-gpu"])
    faiss_facts.check_faiss.cache_clear()
    assert main(["--data", str(tmp_path)]) == 2
    assert "pip uninstall -y faiss-cpu faiss-gpu" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


async def test_a_client_that_hangs_up_ends_its_query(settings, open_api):
    """Neither a stream nor a plain query goes on for nobody, and both give their places back."""
    async with open_api(settings) as api:
        await api.made()
        await api.put({"id": "d", "text": "tides are caused by the gravity of the moon"})
        for streamed in (True, False):
            body = {
                "collection": "c",
                "query": "tides are caused by the gravity of the moon",
                "stream": streamed,
                "plan": {"answer": {"max_tokens": 2000}},
            }
            await hang_up_during(api, msgspec.json.encode(body))
            for _ in range(100):
                if api.service.device.admitted == 0:
                    break
                await asyncio.sleep(0.02)
            assert api.service.device.admitted == 0
        assert 'excerpta_queries_total{outcome="cancelled"} 2.0' in (await api("GET", "/metrics")).text


async def hang_up_during(api, body):
    """One request by hand, whose client goes away while the answer is being written."""
    gone = asyncio.Event()
    sent = False

    async def receive():
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/query",
        "raw_path": b"/v1/query",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"host", b"test")],
        "server": ("test", 80),
        "client": ("test", 1),
        "state": {},
    }
    request = asyncio.ensure_future(api.app(scope, receive, send))
    await asyncio.sleep(0.2)
    assert api.service.device.admitted == 1
    gone.set()
    await asyncio.wait_for(request, 5)


@pytest.mark.process
def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom api.commands.serve import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
        "    print({'torch', 'litestar', 'faiss', 'sqlalchemy'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "--data" in said
    assert said.splitlines()[-1] == "set()"
