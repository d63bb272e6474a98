"""Faults from outside have names: a database that is gone or hangs, a full disk, deep and endless input."""

import asyncio
import errno
import time
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from api.db.faults import Fault, fault_of
from api.jobs.uploads import SpoolPart
from tests.support.upload_jobs import ndjson, upload

DEEP = 5000
ROUTES = [
    ("GET", "/health/ready", {}),
    ("GET", "/v1/collections", {}),
    ("GET", "/v1/collections/c", {}),
    ("PUT", "/v1/collections/d", {"json": {}}),
    ("DELETE", "/v1/collections/c", {}),
    ("POST", "/v1/collections/c/verify", {}),
    ("POST", "/v1/collections/c/rebuild", {}),
    ("GET", "/v1/collections/c/documents/a", {}),
    ("POST", "/v1/collections/c/documents", {"json": {"documents": [{"id": "a", "text": "b"}]}}),
    ("POST", "/v1/collections/c/documents:batch", {"content": b'{"id": "a", "text": "b"}'}),
    ("POST", "/v1/collections/c/files", {"files": {"files": ("a.txt", b"a")}}),
    ("GET", "/v1/jobs", {}),
    ("GET", "/v1/jobs/job_x", {}),
    ("GET", "/v1/prompts", {}),
    ("POST", "/v1/search", {"json": {"collection": "c", "query": "sea"}}),
    ("POST", "/v1/query", {"json": {"collection": "c", "query": "sea"}}),
    ("GET", "/v1/models", {}),
    (
        "POST",
        "/v1/chat/completions",
        {"json": {"model": "c", "messages": [{"role": "user", "content": "sea"}]}},
    ),
]


class Line:
    """A line to PostgreSQL that can be cut, or fall silent."""

    def __init__(self, host, port):
        self._to = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()

    def silence(self):
        self._open.clear()

    def speak(self):
        self._open.set()

    def cut(self):
        self._server.close()
        for one in self._writers:
            one.close()

    async def _serve(self, reader, writer):
        there, back = await asyncio.open_connection(*self._to)
        self._writers += [writer, back]
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer), return_exceptions=True)

    async def _copy(self, reader, writer):
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.mark.process
@pytest.mark.parametrize("how", ["silence", "cut"])
async def test_a_database_that_hangs_or_is_gone_is_a_503_on_every_route(
    settings, open_api, postgres_url, how
):
    url = make_url(postgres_url)
    async with Line(url.host, url.port) as line:
        over = url.set(port=line.port).render_as_string(hide_password=False)
        async with open_api(replace(settings, database_url=over, shutdown_s=3)) as api:
            await api.made()
            await api.put({"id": "a", "text": "Tides come twice a day."})
            getattr(line, how)()
            for method, path, options in ROUTES:
                began = time.monotonic()
                reply = await api(method, path, **options)
                assert time.monotonic() - began < 2, path
                assert reply.status_code == 503, (path, reply.text)
                assert int(reply.headers["retry-after"]) > 0
            began = time.monotonic()
            replies = await asyncio.gather(*(api("GET", "/v1/collections") for _ in range(100)))
            assert {one.status_code for one in replies} == {503}
            assert time.monotonic() - began < 3
            assert (await api("GET", "/health/live")).status_code == 200
            if how == "silence":
                line.speak()
                for _ in range(100):
                    if (reply := await api("GET", "/v1/collections/c")).status_code == 200:
                        break
                    await asyncio.sleep(0.1)
                assert reply.json()["documents"] == 1


@pytest.mark.parametrize(
    ("number", "status", "slug"),
    [
        (errno.ENOSPC, 507, "disk-full"),
        (errno.EDQUOT, 507, "disk-full"),
        (errno.EMFILE, 503, "too-many-files"),
    ],
)
async def test_a_full_disk_and_too_many_files_are_said(api, problem, monkeypatch, number, status, slug):
    await api.made()

    def refuse(self, content):
        raise OSError(number, "refused")

    with monkeypatch.context() as patch:
        patch.setattr(SpoolPart, "write", refuse)
        reply = await api("POST", "/v1/collections/c/documents:batch", content=ndjson(1))
    problem(reply, status, slug)
    assert reply.headers["retry-after"]
    assert list(api.service.spool.jobs()) == []


async def test_a_job_says_what_it_waits_for_and_goes_on(settings, open_api, monkeypatch):
    from retrieval import Collection

    add = Collection.add

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with open_api(replace(settings, lease_s=0.5, poll_s=0.1)) as api:
        await api.made()
        with monkeypatch.context() as patch:
            patch.setattr(Collection, "add", full)
            job = await upload(api, ndjson(2))
            for _ in range(100):
                state = (await api("GET", f"/v1/jobs/{job}")).json()
                if state["error"]:
                    break
                await asyncio.sleep(0.02)
            assert state["state"] in ("queued", "running")
            assert Fault.DISK.value in state["error"]
        assert Collection.add is add
        state = await api.finished(job)
        assert (state["state"], state["error"]) == ("succeeded", None)


def test_causes_are_followed():
    error = RuntimeError()
    error.__cause__ = OSError(errno.ENOSPC, "")
    assert fault_of(error) is Fault.DISK
    assert fault_of(ConnectionResetError()) is Fault.DATABASE
    assert fault_of(KeyError()) is None


@pytest.mark.parametrize(
    "text", ['{"collection": "c", "query": "a", "filter": ' + '{"$and": [' * DEEP, "[" * DEEP]
)
@pytest.mark.parametrize("closed", [True, False])
async def test_deep_json_is_a_400(shared_api, problem, text, closed):
    await shared_api.made()
    if closed:
        text += {"{": "]}" * DEEP + "}", "[": "]" * DEEP}[text[0]]
    for path in ("/v1/search", "/v1/query", "/v1/rerank", "/v1/collections/c/documents"):
        reply = await shared_api("POST", path, content=text, headers={"content-type": "application/json"})
        assert reply.status_code in (400, 422), reply.text
        if path == "/v1/search":
            problem(reply, 400, "malformed-request")


async def test_metadata_fields_are_bounded_and_lists_of_the_allowed_are_short(shared_api, problem):
    from retrieval.collections.collection import MOST_FIELDS

    await shared_api.made()
    many = {f"f{n:04}": n for n in range(257)}
    body = {"documents": [{"id": "a", "text": "b", "metadata": many}]}
    reply = await shared_api("POST", "/v1/collections/c/documents", json=body)
    assert "256" in problem(reply, 422, "invalid-request")["detail"]
    for start in range(0, 900, 100):
        fields = {f"g{n:04}": n for n in range(start, start + 100)}
        await shared_api.put({"id": str(start), "text": "b", "metadata": fields})
    fields = {f"h{n:04}": n for n in range(200)}
    body = {"documents": [{"id": "b", "text": "b", "metadata": fields}]}
    reply = await shared_api("POST", "/v1/collections/c/documents", json=body)
    assert str(MOST_FIELDS) in problem(reply, 422, "invalid-field")["detail"]
    await shared_api.put({"id": "0", "text": "c", "metadata": {"g0001": 1}})
    body = {"collection": "c", "query": "a", "filter": {"none": 1}}
    said = problem(await shared_api("POST", "/v1/search", json=body), 422, "invalid-filter")
    assert len(said["allowed"]) == 50
    assert said["allowed_left_out"] > 700
    assert len(said["detail"]) < 2000
