"""Queues on both databases without a service, and the service with and without servers beside it."""

import time
from dataclasses import replace

import pytest

from api.db import BatchRow, CollectionRow, Database, upgrade
from api.jobs.process import ProcessLock
from api.jobs.queue import JobQueue

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
    """The service with the fewest and with the most servers beside it."""
    if request.param.startswith("postgresql"):
        if not redis_is_there():
            pytest.skip("no Redis on 127.0.0.1:6379")
        url = request.getfixturevalue("postgres_url")
        settings = replace(settings, database_url=url, redis_url=REDIS)
    async with open_api(replace(settings, batch_documents=4)) as opened:
        yield opened


@pytest.fixture
async def database(database_url):
    """Migrated and empty but for the collections `one` and `two`."""
    database = Database(database_url)
    try:
        await upgrade(database)
        async with database.write() as session:
            for collection in ("one", "two"):
                session.add(
                    CollectionRow(
                        id=collection,
                        name=collection,
                        directory=collection,
                        settings="{}",
                        created_at=time.time(),
                    )
                )
        yield database
    finally:
        await database.close()


@pytest.fixture
def queues(database, tmp_path):
    """Makes queues, each as a process of its own would have."""
    owners = []

    def make(lease_s=30.0):
        owners.append(ProcessLock(tmp_path / "owners"))
        return JobQueue(database, owners[-1], lease_s=lease_s)

    yield make
    for owner in owners:
        owner.close()


@pytest.fixture
def batch_row():
    """Makes the row of a batch of three documents."""

    def make(job, number):
        return BatchRow(
            job_id=job,
            number=number,
            documents=3,
            passages=3,
            version=1,
            cursor="{}",
            errors="[]",
            committed_at=time.time(),
        )

    return make
