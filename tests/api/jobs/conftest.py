"""Queues on both databases, without the service around them."""

import secrets
import time

import pytest

from api.db import BatchRow, CollectionRow, Database, upgrade
from api.jobs.process import ProcessLock
from api.jobs.queue import JobQueue

SERVER = "127.0.0.1:5432"


async def _administer(command: str | None = None) -> str | None:
    """Runs a command as a user that may make databases; the user's name, None where there is no server."""
    import asyncpg

    for user in ("postgres", "root"):
        try:
            connection = await asyncpg.connect(f"postgresql://{user}@{SERVER}/postgres", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            continue
        try:
            if command:
                await connection.execute(command)
        finally:
            await connection.close()
        return user
    return None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
async def database(request, tmp_path):
    """Migrated and empty but for the collections `one` and `two`."""
    name = f"excerpta_test_{secrets.token_hex(4)}"
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    if request.param == "postgresql":
        user = await _administer(f"CREATE DATABASE {name}")
        if user is None:
            pytest.skip(f"no PostgreSQL with trust authentication on {SERVER}")
        url = f"postgresql+asyncpg://{user}@{SERVER}/{name}"
    database = Database(url)
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
        if request.param == "postgresql":
            await _administer(f"DROP DATABASE {name} WITH (FORCE)")


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
