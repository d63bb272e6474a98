"""Jobs: on both databases, with both kinds of bell; cancelled, repeated, lost and healed."""

import asyncio
import threading
import time
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from sqlalchemy import func, select, update

from api.db import BatchRow, DocumentRow, JobRow
from api.db.replies import job_reply
from api.errors import JobStopped, UnknownJob
from api.http.ids import new_id
from api.jobs.process import ProcessLock
from api.jobs.queue import MOST_ATTEMPTS, JobQueue
from api.jobs.wakeups import RedisWakeUps, WakeUps, make_bell
from retrieval import BatchKey

pytestmark = pytest.mark.long

REDIS = "redis://127.0.0.1:6379/9"


def redis_is_there() -> bool:
    import redis

    try:
        return bool(redis.Redis.from_url(REDIS, socket_connect_timeout=1).ping())
    except redis.RedisError:
        return False


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.process)])
def redis_url(request):
    if request.param == "in-process":
        return ""
    if not redis_is_there():
        pytest.skip("no Redis on 127.0.0.1:6379")
    return REDIS


@pytest.fixture(params=["sqlite, in process", pytest.param("postgresql, redis", marks=pytest.mark.process)])
async def both(request, settings, open_api):
    """The service on its simplest and on its largest footing."""
    if request.param.startswith("postgresql"):
        if not redis_is_there():
            pytest.skip("no Redis on 127.0.0.1:6379")
        url = request.getfixturevalue("postgres_url")
        settings = replace(settings, database_url=url, redis_url=REDIS)
    async with open_api(replace(settings, batch_documents=4)) as opened:
        yield opened


def ndjson(count, start=0, text="Document {} is about tides."):
    return b"".join(
        msgspec.json.encode({"id": f"d{n:04}", "text": text.format(n)}) + b"\n"
        for n in range(start, start + count)
    )


async def upload(api, body, key=None, collection="c"):
    headers = {"content-type": "application/x-ndjson"} | ({"Idempotency-Key": key} if key else {})
    reply = await api("POST", f"/v1/collections/{collection}/documents:batch", content=body, headers=headers)
    assert reply.status_code == 202, reply.text
    assert reply.headers["location"] == f"/v1/jobs/{reply.json()['id']}"
    return reply.json()["id"]


async def ids_in(api, collection="c"):
    """Ids in the database and in the index, each as often as it is there."""
    async with api.service.database.read() as session:
        rows = await session.scalars(
            select(DocumentRow.id).where(~DocumentRow.deleted).order_by(DocumentRow.id)
        )
        stored = list(rows)
    entry = await api.service.library.get(collection)
    index = await api.service.library.run(api.service.library.open, entry)
    with index.snapshot() as snapshot:
        live = [snapshot.passage(n).document_id for n in range(snapshot.passages)]
    present = sorted(one for one in live if index.contains([one]))
    return stored, present, index.stats().documents


async def test_a_batch_job_from_end_to_end(both):
    api = both
    await api.made()
    body = ndjson(10) + b"\n{broken\n" + b'{"id": "", "text": "x"}\n' + b'{"id": "n\\u0000l", "text": "x"}\n'
    job = await upload(api, body)
    state = await api.finished(job)
    assert (state["state"], state["done"], state["total"]) == ("succeeded", 10, 10)
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
    assert state["state"] == "succeeded"
    assert [error["name"] for error in state["errors"]] == ["broken.pdf"]
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


@pytest.mark.long
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


@pytest.mark.long
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
    assert await api.service.library.orphans() == {old.directory}


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


@pytest.mark.long
async def test_an_index_that_is_ahead_of_the_database_is_caught_up_with(both):
    """Killed between the index's commit and the database's: the batch is not run again, only recorded."""
    api = both
    service = api.service
    await api.made()
    failed = asyncio.Event()
    commit = service.queue.commit

    async def broken_commit(claim, batch, documents):
        if not failed.is_set() and batch.number == 1:
            failed.set()
            raise ConnectionResetError("the database went away")
        await commit(claim, batch, documents)

    object.__setattr__(service.indexer, "_queue", _Patched(service.queue, broken_commit))
    job = await upload(api, ndjson(12))
    await asyncio.wait_for(failed.wait(), 10)
    entry = await service.library.get("c")
    index = await service.library.run(service.library.open, entry)
    assert index.committed(BatchKey(job, 1)) is not None
    version = index.stats().version
    async with service.database.write() as session:
        await session.execute(update(JobRow).values(lease_until=0.0))
    state = await api.finished(job)
    assert (state["state"], state["done"], state["passages"]) == ("succeeded", 12, 12)
    assert index.stats().version == version + 1, "only the third batch was still to be indexed"
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == 12


class _Patched:
    """A queue whose `commit` is another one."""

    def __init__(self, queue, commit):
        self._queue = queue
        self.commit = commit

    def __getattr__(self, name):
        return getattr(self._queue, name)


@pytest.mark.long
@pytest.mark.parametrize("committed", [True, False])
async def test_a_change_whose_process_died_is_made_good_or_forgotten(both, committed):
    """What the index has is recorded; what it has not was never confirmed, and stays away."""
    api = both
    service = api.service
    await api.made()
    entry = await service.library.get("c")
    job = new_id("job")
    with service.spool.writer() as spooled:
        spooled.add("change", ndjson(2))
        spooled.keep(job)
    if committed:
        from retrieval import Document

        index = await service.library.run(service.library.open, entry)
        documents = [Document(f"d{n:04}", f"Document {n} is about tides.") for n in range(2)]
        await service.library.run(index.add, documents, batch=BatchKey(job, 0))
    dead = ProcessLock(service.settings.data_dir / "owners")
    async with service.database.write() as session:
        session.add(
            JobRow(
                id=job,
                collection_id=entry.id,
                kind="documents",
                inline=True,
                state="running",
                owner=dead.name,
                lease_until=time.time() + 1000,
                fence=1,
                attempts=1,
                created_at=time.time(),
            )
        )
    dead.close()
    assert await service.queue.requeue_dead() == 1
    await service.bell.ring("jobs")
    for _ in range(200):
        async with service.database.read() as session:
            if await session.get(JobRow, job) is None:
                break
        await asyncio.sleep(0.02)
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == (2 if committed else 0)


async def test_the_later_version_of_a_document_stays(both):
    """Transactions may reach the database in another order than the index; the index's order counts."""
    api = both
    service = api.service
    from api.db.documents import document_row, put_documents, remove_documents
    from retrieval import Document

    await api.made()
    entry = await service.library.get("c")

    def row(text, version):
        return document_row(Document("x", text), collection=entry.id, version=version, job="j", batch=0)

    async def text():
        async with service.database.read() as session:
            found = await session.get(DocumentRow, (entry.id, "x"))
            return None if found.deleted else found.text

    for version, words, expected in [(5, "five", "five"), (3, "three", "five"), (7, "seven", "seven")]:
        async with service.database.write() as session:
            await put_documents(session, [row(words, version)])
        assert await text() == expected
    for version, expected in [(6, "seven"), (7, "seven"), (9, None)]:
        async with service.database.write() as session:
            await remove_documents(session, entry.id, ["x"], version=version, job="j")
        assert await text() == expected
    async with service.database.write() as session:
        await put_documents(session, [row("eight", 8)])
    assert await text() is None


async def test_leases_and_fences(settings, open_api):
    async with open_api(replace(settings, role="api", lease_s=30)) as api:
        await api.made()
        service = api.service
        entry = await service.library.get("c")
        one, two = (
            JobQueue(service.database, ProcessLock(settings.data_dir / "owners"), lease_s=30)
            for _ in range(2)
        )
        await one.put("job_a", entry.id, "documents")
        await one.put("job_b", entry.id, "documents")
        claims = await asyncio.gather(one.claim(), two.claim())
        assert sorted(claim is None for claim in claims) == [False, True], "one collection, one job at a time"
        claim = next(claim for claim in claims if claim)
        assert claim.job == "job_a"
        await one.heartbeat(claim)  # the claim is what counts, not who brings it
        async with service.database.write() as session:
            await session.execute(update(JobRow).where(JobRow.id == "job_a").values(lease_until=0.0))
        taken = await two.claim()
        assert taken.job == "job_a"
        assert taken.fence == claim.fence + 1
        for lost in (claim, replace(taken, fence=taken.fence - 1)):
            with pytest.raises(JobStopped):
                await one.heartbeat(lost)
            with pytest.raises(JobStopped):
                await one.finish(lost, "succeeded", None)
            with pytest.raises(JobStopped):
                await one.commit(lost, BatchRow(), [])
        await two.cancel("job_a")
        with pytest.raises(JobStopped, match="cancelled"):
            await two.heartbeat(taken)
        await two.release(taken)
        assert (await job_reply(service.database, "job_a")).state == "queued"
        await two.cancel("job_a")
        assert (await job_reply(service.database, "job_a")).state == "cancelled"
        with pytest.raises(UnknownJob):
            await two.cancel("job_none")


@pytest.mark.long
async def test_a_job_that_kills_its_workers_is_given_up(settings, open_api):
    async with open_api(replace(settings, role="api")) as api:
        await api.made()
        service = api.service
        entry = await service.library.get("c")
        await service.queue.put("job_a", entry.id, "documents")
        for _ in range(MOST_ATTEMPTS):
            assert (await service.queue.claim()).job == "job_a"
            async with service.database.write() as session:
                await session.execute(update(JobRow).values(lease_until=0.0))
        assert await service.queue.claim() is None
        state = await job_reply(service.database, "job_a")
        assert state.state == "failed"
        assert "given up" in state.error


async def test_a_lock_tells_the_dead_from_the_living(tmp_path):
    one, two = ProcessLock(tmp_path), ProcessLock(tmp_path)
    assert not one.is_dead(two.name)
    assert not one.is_dead(one.name)
    assert not one.is_dead("of another machine")
    two.close()
    assert one.is_dead(two.name)
    one.bury(keep={two.name})
    assert one.is_dead(two.name)
    one.bury(keep=set())
    assert [path.stem for path in tmp_path.iterdir()] == [one.name]
    one.close()


async def test_a_bell_wakes_whoever_listens(redis_url, tmp_path):
    here = make_bell(redis_url, str(tmp_path))
    there = make_bell(redis_url, str(tmp_path)) if redis_url else here
    stranger = make_bell(redis_url, "another database")
    for bell in {here, there, stranger}:
        await bell.start()
    await asyncio.sleep(0.3 if redis_url else 0)
    try:
        async with here.listen("jobs") as listener, stranger.listen("jobs") as unconcerned:
            began = time.monotonic()
            await there.ring("jobs")
            await listener.wait(5)
            assert time.monotonic() - began < 2
            began = time.monotonic()
            await unconcerned.wait(0.1)
            await listener.wait(0.1)
            assert time.monotonic() - began >= 0.19, "a ring wakes once, and only its own database"
    finally:
        for bell in {here, there, stranger}:
            await bell.close()


async def test_without_redis_the_bell_rings_here(tmp_path):
    bell = RedisWakeUps("redis://127.0.0.1:1/0", str(tmp_path))
    await bell.start()
    async with bell.listen("jobs") as listener:
        await asyncio.wait_for(bell.ring("jobs"), 5)
        began = time.monotonic()
        await listener.wait(5)
        assert time.monotonic() - began < 1
    await bell.close()
    assert isinstance(make_bell("", "x"), WakeUps)
