"""Jobs of a collection: cancelled, followed, in order, and beside rebuilds and deletions."""

import asyncio
import threading
import time
from itertools import pairwise

import msgspec
import pytest

from api.collections.library import Orphans
from api.db import JobRow
from api.jobs.process import ProcessLock
from tests.support.upload_jobs import ids_in, ndjson, upload

pytestmark = pytest.mark.long


async def test_a_job_is_cancelled_and_keeps_what_it_has(both):
    api = both
    await api.made()
    gate = threading.Event()  # while the device is busy, the job stands at its first batch
    api.service.device.submit(gate.wait)
    job = await upload(api, ndjson(40))
    async with api.service.bell.listen("never") as listener:
        while (await api("GET", f"/v1/jobs/{job}")).json()["state"] == "queued":
            await listener.wait(0.01)
    assert (await api("DELETE", f"/v1/jobs/{job}")).status_code == 200
    await asyncio.sleep(0.1)
    gate.set()
    state = await api.finished(job)
    assert state["state"] == "cancelled"
    assert state["done"] % 4 == 0
    assert state["done"] < 40
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == state["done"]
    again = (await api("DELETE", f"/v1/jobs/{job}")).json()
    assert again == state


async def test_events_follow_a_job_to_its_end(both):
    api = both
    await api.made()
    job = await upload(api, ndjson(12))
    reply = await api("GET", f"/v1/jobs/{job}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    blocks = [block for block in reply.text.split("\n\n") if block.startswith("event:")]
    names = [block.split("\n")[0].removeprefix("event: ") for block in blocks]
    states = [msgspec.json.decode(block.split("\n")[1].removeprefix("data: ")) for block in blocks]
    assert names[-1] == "done"
    assert set(names[:-1]) <= {"progress"}
    done = [state["done"] for state in states]
    assert done == sorted(done)
    assert states[-1]["state"] == "succeeded"


async def test_jobs_of_one_collection_run_in_order(both):
    api = both
    await api.made()
    jobs = [await upload(api, ndjson(6, text=f"version {n} " + "{}")) for n in range(4)]
    states = [await api.finished(job) for job in jobs]
    assert all(state["state"] == "succeeded" for state in states)
    times = [(state["started_at"], state["finished_at"]) for state in states]
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    text = (await api("GET", "/v1/collections/c/documents/d0002")).json()["text"]
    assert text == "version 3 2"


async def test_a_rebuild_changes_nothing_but_the_index(both, problem):
    api = both
    await api.made()
    await api.finished(await upload(api, ndjson(10)))
    await api("DELETE", "/v1/collections/c/documents/d0004")
    before = (await api("GET", "/v1/collections/c")).json()
    old = await api.service.library.get("c")
    manifest = api.service.settings.data_dir / "collections" / old.directory / "manifest.json"
    manifest.write_bytes(b"{}")  # the old index may be past reading
    reply = await api("POST", "/v1/collections/c/rebuild")
    assert reply.status_code == 202
    state = await api.finished(reply.json()["id"])
    assert (state["state"], state["done"], state["total"]) == ("succeeded", 9, 9), state
    after = (await api("GET", "/v1/collections/c")).json()
    assert after["documents"] == before["documents"] == 9
    assert after["version"] > before["version"]
    assert (await api("POST", "/v1/collections/c/verify")).json() == {"corrupt": []}
    # Changes after the rebuild count as later ones.
    await api.put({"id": "d0001", "text": "new text"})
    assert (await api("GET", "/v1/collections/c/documents/d0001")).json()["text"] == "new text"
    assert (await api("DELETE", "/v1/collections/c/documents/d0001")).json()["deleted"] == 1
    problem(await api("GET", "/v1/collections/c/documents/d0001"), 404, "unknown-document")
    assert await api.service.library.orphans() == Orphans(replaced={old.directory}, unknown=set())


async def test_changes_wait_for_a_rebuild_but_queries_do_not(api, problem):
    await api.made()
    await api.put({"id": "a", "text": "tides"})
    entry = await api.service.library.get("c")
    async with api.service.database.write() as session:
        session.add(
            JobRow(
                id="job_rebuild",
                collection_id=entry.id,
                kind="rebuild",
                state="running",
                owner=ProcessLock(api.service.settings.data_dir / "owners").name,
                lease_until=time.time() + 60,
                created_at=time.time(),
            )
        )
    body = {"documents": [{"id": "b", "text": "x"}]}
    problem(await api("POST", "/v1/collections/c/documents", json=body), 409, "collection-busy")
    problem(await api("DELETE", "/v1/collections/c/documents/a"), 409, "collection-busy")
    reply = await api("POST", "/v1/search", json={"collection": "c", "query": "tides"})
    assert [hit["document_id"] for hit in reply.json()["hits"]] == ["a"]


async def test_deleting_a_collection_ends_its_jobs(both, problem):
    api = both
    await api.made()
    job = await upload(api, ndjson(60))
    assert (await api("DELETE", "/v1/collections/c")).status_code == 200
    problem(await api("GET", f"/v1/jobs/{job}"), 404, "unknown-job")
    await api.made()
    assert (await api.finished(await upload(api, ndjson(3))))["done"] == 3
    assert (await ids_in(api))[0] == ["d0000", "d0001", "d0002"]
