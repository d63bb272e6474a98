"""Work on the device has a price and an end: it lets searches go first, and stops when nobody waits for it."""

import asyncio
import time
from dataclasses import replace

import pytest

from api.device.price import TokenBudget, price
from models.executor import breathe

LONG = {"query": "sea", "documents": ["tides " * 200] * 20}
SHORTEN = {"query": "sea", "texts": ["tides " * 200] * 20}
PATHS = [("/v1/rerank", LONG), ("/v2/rerank", {**LONG, "model": "auto"}), ("/v1/compress", SHORTEN)]


def slow(ran, *, seconds):
    """Work in pieces of ten milliseconds, as a network reads batches."""

    def work(*_, **__):
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                breathe()
                time.sleep(0.01)
        finally:
            ran.append(time.monotonic())
        raise AssertionError("nobody ended it")

    return work


@pytest.fixture
def busy(monkeypatch):
    from api.device.networks import Networks

    def make(seconds):
        ended = []
        monkeypatch.setattr(Networks, "rerank", slow(ended, seconds=seconds))
        monkeypatch.setattr(Networks, "compress", slow(ended, seconds=seconds))
        return ended

    return make


@pytest.mark.parametrize(("path", "body"), PATHS)
async def test_searches_go_first_and_it_ends_with_its_client(api, busy, path, body):
    await api.made()
    await api.put({"id": "a", "text": "Tides come twice a day."})
    ended = busy(30)
    asked = asyncio.create_task(api("POST", path, json=body))
    await asyncio.sleep(0.2)
    for _ in range(3):
        began = time.monotonic()
        search = {"collection": "c", "query": "sea", "plan": {"rerank": None}}
        assert (await api("POST", "/v1/search", json=search)).status_code == 200
        assert time.monotonic() - began < 2
    assert not ended
    assert not asked.done()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    deadline = time.monotonic() + 2
    while not ended and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert ended
    assert api.service.device.admitted == api.service.stage_budget.taken == 0


@pytest.mark.parametrize(("path", "body"), PATHS)
async def test_it_ends_with_its_time(settings, open_api, busy, path, body):
    async with open_api(replace(settings, query_timeout_s=0.3)) as api:
        ended = busy(30)
        began = time.monotonic()
        reply = await api("POST", path, json=body)
        assert time.monotonic() - began < 2
        assert reply.status_code == 503, reply.text
        assert "EXCERPTA_QUERY_TIMEOUT_S" in reply.text
        assert reply.headers["retry-after"]
        await asyncio.sleep(0.2)
        assert ended


@pytest.mark.parametrize(("path", "body"), PATHS)
async def test_what_costs_too_much_is_refused_with_the_budget_named(settings, open_api, path, body):
    async with open_api(replace(settings, stage_tokens=100)) as api:
        reply = await api("POST", path, json=body)
        assert reply.status_code == 413, reply.text
        assert "EXCERPTA_STAGE_TOKENS" in reply.text
        with api.service.stage_budget.admit(95):
            small = {
                name: ["tides " * 10] if isinstance(value, list) else value for name, value in body.items()
            }
            reply = await api("POST", path, json=small)
            assert reply.status_code == 503, reply.text
            assert "EXCERPTA_STAGE_TOKENS" in reply.text
            assert reply.headers["retry-after"]


@pytest.mark.parametrize("path", [path for path, _ in PATHS])
async def test_refusals_do_not_read_the_body(settings, open_api, path):
    async def status(app, length):
        told = []

        async def receive():
            raise AssertionError("the body was read")

        async def send(message):
            told.append(message)

        headers = [(b"host", b"test"), (b"content-type", b"application/json"), (b"content-length", length)]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "server": ("test", 80),
            "client": ("test", 1),
            "state": {},
        }
        await app(scope, receive, send)
        return told[0]["status"]

    async with open_api(replace(settings, stage_tokens=1000, queue_capacity=1)) as api:
        assert await status(api.app, b"1000000") == 413
        with api.service.stage_budget.admit(990):
            assert await status(api.app, b"1000") == 503
        with api.service.device.admit():
            assert await status(api.app, b"10") == 503


def test_the_budget_is_given_back():
    budget = TokenBudget(10)
    with pytest.raises(KeyError), budget.admit(10):
        raise KeyError
    assert budget.taken == 0
    assert price("", []) == 0
