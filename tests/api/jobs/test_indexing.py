"""Documents and files that are sent in bulk become a job, once, and end up in the collection."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from api.db import BatchRow
from retrieval import Collection
from tests.support.upload_jobs import ids_in, ndjson, upload

pytestmark = pytest.mark.long


async def test_a_batch_job_from_end_to_end(both):
    api = both
    await api.made()
    body = ndjson(10) + b"\n{broken\n" + b'{"id": "", "text": "x"}\n' + b'{"id": "n\\u0000l", "text": "x"}\n'
    job = await upload(api, body)
    state = await api.finished(job)
    assert (state["state"], state["done"], state["total"]) == ("partial", 10, 10)
    assert [error["name"] for error in state["errors"]] == ["line 12", "line 13", "line 14"]
    assert state["started_at"]
    assert state["finished_at"]
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == 10
    got = (await api("GET", "/v1/collections/c/documents/d0003")).json()
    assert got["text"] == "Document 3 is about tides."
    assert got["passages"] == 1
    async with api.service.database.read() as session:
        batches = await session.scalar(select(func.count()).select_from(BatchRow))
    assert batches == 3
    assert list(api.service.spool.jobs()) == []
    assert (await api("GET", "/v1/jobs")).json()["jobs"][0] == state


async def test_files_of_many_kinds(both):
    api = both
    await api.made()
    reply = await api(
        "POST",
        "/v1/collections/c/files",
        files=[
            ("files", ("notes/a.txt", "Tides – ünïcode 🌊\r\nare caused.".encode())),
            ("files", ("b.md", b"# Title\n\nText of b.")),
            ("files", ("broken.pdf", b"%PDF-1.7 not really")),
            ("files", ("rows.csv", b"id,text\nr1,first row\nr2,second row\n")),
        ],
    )
    assert reply.status_code == 202
    assert reply.json()["total"] is None
    state = await api.finished(reply.json()["id"])
    assert (state["state"], state["error"]) == ("partial", None)
    assert [error["name"] for error in state["errors"]] == ["broken.pdf"]
    assert state["counts"] == {"read": 3, "partial": 0, "failed": 1, "unchanged": 0}
    (failed,) = [one for one in state["sources"] if one["state"] != "read"]
    assert failed["name"] == "broken.pdf"
    assert failed["remarks"][0]["reason"].startswith("cannot be read")
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == state["done"] == 4
    assert {"notes/a.txt", "b.md"} <= set(stored)


async def test_the_same_upload_twice_is_one_job(both, problem):
    api = both
    await api.made()
    first, second = await asyncio.gather(upload(api, ndjson(3), "key-1"), upload(api, ndjson(3), "key-1"))
    assert first == second
    await api.finished(first)
    assert await upload(api, ndjson(3), "key-1") == first
    reply = await api(
        "POST", "/v1/collections/c/documents:batch", content=ndjson(4), headers={"Idempotency-Key": "key-1"}
    )
    assert problem(reply, 409, "idempotency-conflict")["job"] == first
    assert await upload(api, ndjson(3), "key-2") != first
    assert [job for job in api.service.spool.jobs() if job == first] == []


async def segments(api):
    entry = await api.service.library.get("c")
    collection = await api.service.library.run(api.service.library.open, entry)
    with collection.snapshot() as snapshot:
        return [len(segment.passages) for segment in snapshot.searched.segments]


async def test_a_job_makes_one_segment_of_its_batches_and_leaves_larger_ones(open_api, settings):
    async with open_api(replace(settings, batch_documents=4)) as api:
        await api.made()
        await api.finished(await upload(api, ndjson(40)))
        assert await segments(api) == [40]
        more = b"\n".join(b'{"id": "m%d", "text": "More of tides, %d."}' % (at, at) for at in range(9))
        await api.finished(await upload(api, more))
        assert await segments(api) == [40, 9]
        stored, _, documents = await ids_in(api)
        assert len(stored) == documents == 49


async def test_a_job_succeeds_where_its_batches_cannot_be_merged(open_api, settings, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(Collection, "merge_newest", full)
    async with open_api(replace(settings, batch_documents=4)) as api:
        await api.made()
        assert (await api.finished(await upload(api, ndjson(10))))["state"] == "succeeded"
        assert sum(await segments(api)) == 10
