"""Which job runs next, whatever was lost before; each case once stood still or lost something."""

import asyncio
import time

import pytest
from sqlalchemy import delete, update

from api.db import CollectionRow, JobRow
from api.db.replies import job_reply
from api.errors import CollectionBusy, JobStopped, UnknownCollection
from api.jobs import queue as queue_module


async def change(database, job, **values):
    async with database.write() as session:
        await session.execute(update(JobRow).where(JobRow.id == job).values(**values))


async def lose(database, job):
    """The lease of a job runs out, and nobody can tell whether its owner lives."""
    await change(database, job, lease_until=0.0)


async def drain(queue):
    """Claims and finishes jobs until there is none to claim; their ids in order."""
    order = []
    while claim := await queue.claim():
        order.append(claim.job)
        await queue.finish(claim, "succeeded", None)
    return order


async def test_a_full_collection_does_not_hold_up_the_others(database, queues):
    queue = queues()
    for number in range(60):
        await queue.put(f"one_{number:02}", "one", "documents")
    await queue.put("two_00", "two", "documents")
    assert (await queue.claim()).job == "one_00"
    assert (await queue.claim()).job == "two_00"
    assert await queue.claim() is None


async def test_jobs_of_one_collection_run_as_they_came(database, queues):
    queue = queues()
    for number in range(5):
        await queue.put(f"job_{number}", "one", "rebuild" if number == 2 else "files")
    assert await drain(queue) == [f"job_{number}" for number in range(5)]


@pytest.mark.parametrize("kind", ["documents", "rebuild"])
async def test_a_lost_change_and_an_earlier_job_do_not_wait_for_each_other(database, queues, kind):
    queue = queues()
    await queue.put("job", "one", kind)
    await queue.put("change", "one", "documents", inline=True)
    await lose(database, "change")
    assert sorted(await drain(queue)) == ["change", "job"]


async def test_a_lost_job_and_an_earlier_change_do_not_wait_for_each_other(database, queues):
    queue = queues()
    await queue.put("change", "one", "documents", inline=True)
    await queue.put("job", "one", "documents")
    claim = await queue.claim()
    assert claim.job == "job"
    await change(database, "change", state="queued", owner=None, lease_until=0.0)
    await lose(database, "job")
    assert sorted(await drain(queue)) == ["change", "job"]


@pytest.mark.parametrize("released", [False, True])
async def test_a_job_that_has_begun_goes_on_first_whatever_the_clocks_say(database, queues, released):
    queue = queues()
    await queue.put("job", "one", "documents")
    claim = await queue.claim()
    await queue.put("late", "one", "documents")
    await change(database, "late", created_at=time.time() - 3600)
    assert await queue.claim() is None
    if released:
        await queue.release(claim)
    else:
        await lose(database, "job")
    assert await drain(queue) == ["job", "late"]


async def test_a_rebuild_that_has_begun_refuses_changes_while_it_has_no_worker(database, queues):
    queue = queues()
    await queue.put("rebuild", "one", "rebuild")
    await queue.put("before", "one", "documents", inline=True)
    assert await queue.claim() is None, "a rebuild waits for changes in flight"
    await queue.finish(queue.own("before", "one", "documents"), "succeeded", None)
    claim = await queue.claim()
    await queue.release(claim)
    with pytest.raises(CollectionBusy):
        await queue.put("change", "one", "documents", inline=True)
    assert await drain(queue) == ["rebuild"]
    await queue.put("change", "one", "documents", inline=True)


async def test_a_cancelled_job_whose_worker_ended_is_not_run_again(database, queues):
    queue = queues()
    await queue.put("released", "one", "documents")
    await queue.put("lost", "two", "documents")
    claims = [await queue.claim(), await queue.claim()]
    await queue.cancel("released")
    await queue.cancel("lost")
    await queue.release(claims[0])
    await lose(database, "lost")
    assert await queue.claim() is None
    for job in ("released", "lost"):
        assert (await job_reply(database, job)).state == "cancelled"


async def test_a_job_ends_at_the_batch_after_its_cancellation(database, queues, batch_row):
    queue = queues()
    await queue.put("job", "one", "documents")
    claim = await queue.claim()
    await queue.commit(claim, batch_row("job", 0), [])
    await queue.cancel("job")
    with pytest.raises(JobStopped, match="cancelled"):
        await queue.commit(claim, batch_row("job", 1), [])
    assert [batch.number for batch in await queue.batches("job")] == [0, 1]
    await queue.finish(claim, "cancelled", None)
    assert (await job_reply(database, "job")).done == 6


async def test_a_collection_that_goes_while_its_job_is_claimed(database, queues, monkeypatch):
    queue = queues()
    await queue.put("job_one", "one", "documents")
    await queue.put("job_two", "two", "documents")

    async def gone(session, collection):
        if collection == "one":
            raise UnknownCollection(collection)
        return await locked(session, collection)

    locked = queue_module._locked
    monkeypatch.setattr(queue_module, "_locked", gone)
    assert (await queue.claim()).job == "job_two"


@pytest.mark.long
async def test_a_collection_is_deleted_while_its_job_commits(database, queues, batch_row):
    """Neither waits for the other for ever: the one that comes second finds the other's work done."""
    queue = queues()
    for attempt in range(10):
        collection = f"c{attempt}"
        async with database.write() as session:
            session.add(
                CollectionRow(id=collection, name=collection, directory="d", settings="{}", created_at=0)
            )
        await queue.put(f"job_{attempt}", collection, "documents")
        claim = await queue.claim()

        async def remove(collection=collection):
            async with database.write() as session:
                row = await session.get(CollectionRow, collection, with_for_update=True)
                await asyncio.sleep(0)
                await session.execute(delete(CollectionRow).where(CollectionRow.id == row.id))

        done = await asyncio.gather(
            *(queue.commit(claim, batch_row(claim.job, number), []) for number in range(3)),
            remove(),
            return_exceptions=True,
        )
        assert done[-1] is None
        assert all(one is None or isinstance(one, JobStopped) for one in done), done
    assert await queue.claim() is None
