"""A service that is killed while it replaces a file's documents finishes after its restart: all of it, once."""

import contextlib
import signal
import time
from dataclasses import replace

import httpx
import pytest

pytestmark = pytest.mark.process

OLD = {1: "was red", 2: "was blue", 3: "was green", 4: "was grey", 5: "was black"}
NEW = {1: "is red", 4: "was grey", 5: "is white", 6: "is pink"}


BROKEN = ("files", ("broken.pdf", b"%PDF-1.7 not really"))


def table(rows):
    lines = (f"{row},Row {row} {words}.\n" for row, words in rows.items())
    return [("files", ("rows.csv", ("id,text\n" + "".join(lines)).encode()))]


def finished(url):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        newest = httpx.get(f"{url}/v1/jobs").json()["jobs"][0]
        if newest["finished_at"]:
            return newest
        time.sleep(0.1)
    raise AssertionError(newest)


@pytest.mark.parametrize("point", ["manifest.published", "job.indexed", "job.recorded"])
async def test_killed_while_a_table_is_replaced(point, settings, open_api, serve):
    async with open_api(replace(settings, batch_documents=3)) as api:
        await api.made()
        reply = await api("POST", "/v1/collections/c/files", files=table(OLD))
        assert (await api.finished(reply.json()["id"]))["state"] == "succeeded"
    kill_and_finish(serve, point)


def kill_and_finish(serve, point):
    process, url = serve(EXCERPTA_BATCH_DOCUMENTS="3", EXCERPTA_FAULT=point)
    with contextlib.suppress(httpx.TransportError):  # it may be killed before its reply is sent
        httpx.post(f"{url}/v1/collections/c/files", files=[BROKEN, *table(NEW)])
    assert process.wait(60) == -signal.SIGKILL
    _, url = serve(EXCERPTA_BATCH_DOCUMENTS="3")
    job = finished(url)
    assert (job["state"], job["done"]) == ("partial", len(NEW)), "what was read before the end counts"
    assert job["counts"] == {"read": 1, "partial": 0, "failed": 1, "unchanged": 0}
    assert [(one["name"], one["state"]) for one in job["sources"]] == [
        ("broken.pdf", "failed"),
        ("rows.csv", "read"),
    ]
    assert httpx.post(f"{url}/v1/collections/c/verify").json() == {"corrupt": []}
    assert httpx.get(f"{url}/v1/collections/c").json()["documents"] == len(NEW)
    for row in {**OLD, **NEW}:
        got = httpx.get(f"{url}/v1/collections/c/documents/rows.csv%23{row}")
        assert (got.status_code == 200) == (row in NEW), row
        if row in NEW:
            assert NEW[row] in got.json()["text"]
