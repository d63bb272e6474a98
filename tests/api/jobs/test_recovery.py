"""Jobs whose process, database or lease was lost are taken up again, and nothing is done twice."""

import asyncio
import time
from dataclasses import replace

import pytest
from sqlalchemy import update

from api.db import BatchRow, DocumentRow, JobRow
from api.db.replies import job_reply
from api.errors import JobStopped, UnknownJob
from api.http.ids import new_id
from api.jobs.process import ProcessLock
from api.jobs.queue import MOST_ATTEMPTS, JobQueue
from retrieval import BatchKey
from tests.support.upload_jobs import ids_in, ndjson, upload

pytestmark = pytest.mark.long


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
    assert index.stats().version == version + 2, "the third batch was to be indexed, and all to be merged"
    stored, _, documents = await ids_in(api)
    assert len(stored) == documents == 12


class _Patched:
    """A queue whose `commit` is another one."""

    def __init__(self, queue, commit):
        self._queue = queue
        self.commit = commit

    def __getattr__(self, name):
        return getattr(self._queue, name)


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


async def test_a_change_that_loses_its_job_leaves_the_upload_to_the_next_owner(api, problem, monkeypatch):
    """The process slept between the index's commit and the database's: the other one needs the documents."""
    await api.made()
    service = api.service
    commit = service.queue.commit

    async def late(claim, *rest):
        async with service.database.write() as session:
            await session.execute(update(JobRow).values(owner="another", fence=claim.fence + 1))
        await commit(claim, *rest)

    monkeypatch.setattr(service.queue, "commit", late)
    text = "Tides come twice a day."
    reply = await api("POST", "/v1/collections/c/documents", json={"documents": [{"id": "a", "text": text}]})
    problem(reply, 409, "job-stopped")
    (job,) = service.spool.jobs()
    assert (await api("GET", "/v1/collections/c/documents/a")).status_code == 404
    monkeypatch.undo()
    async with service.database.write() as session:
        await session.execute(update(JobRow).where(JobRow.id == job).values(lease_until=0.0))
    await service.bell.ring("jobs")
    for _ in range(200):
        if not list(service.spool.jobs()):
            break
        await asyncio.sleep(0.02)
    assert (await api("GET", "/v1/collections/c/documents/a")).json()["text"] == text


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
