"""Tables and migrations, on SQLite and on PostgreSQL."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from api.db import Base, CollectionRow, Database, JobRow, upgrade
from api.db.migrate import configuration
from api.errors import DatabaseTooNew


@pytest.fixture
async def empty(database_url):
    database = Database(database_url)
    yield database
    await database.close()


async def tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda plain: inspect(plain).get_table_names()))


async def current(database: Database) -> str | None:
    async with database.engine.connect() as connection:
        return await connection.run_sync(
            lambda plain: MigrationContext.configure(plain).get_current_revision()
        )


def head() -> str | None:
    return ScriptDirectory.from_config(configuration(None)).get_current_head()


async def downgrade(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda plain: command.downgrade(configuration(plain), "base"))


async def test_up_down_up(empty):
    await upgrade(empty)
    assert await current(empty) == head()
    assert await tables(empty) == {*Base.metadata.tables, "alembic_version"}
    await downgrade(empty)
    assert await tables(empty) == {"alembic_version"}
    await upgrade(empty)
    await upgrade(empty)
    assert await current(empty) == head()


async def test_migrations_make_what_the_models_say(empty):
    await upgrade(empty)
    async with empty.engine.connect() as connection:
        drift = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), Base.metadata)
        )
    assert drift == []


async def test_many_processes_upgrade_at_once(database_url):
    databases = [Database(database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(upgrade(database) for database in databases))
        assert await current(databases[0]) == head()
    finally:
        for database in databases:
            await database.close()


async def test_many_processes_open_a_new_file_at_once(tmp_path):
    # Of 60 rounds like these, two or three failed while the switch to a write-ahead log was tried once only.
    for round_ in range(20):
        databases = [Database(f"sqlite+aiosqlite:///{tmp_path}/{round_}.db") for _ in range(12)]
        try:
            await asyncio.gather(*(database.ping() for database in databases))
        finally:
            for database in databases:
                await database.close()


async def test_a_later_releases_database_is_refused(empty):
    await upgrade(empty)
    async with empty.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        await upgrade(empty)


async def test_writers_queue_and_readers_do_not_wait(empty):
    await upgrade(empty)

    async def add(number: int) -> None:
        async with empty.write() as session:
            session.add(
                CollectionRow(
                    id=str(number),
                    name=str(number),
                    directory="d",
                    version_base=0,
                    settings="{}",
                    created_at=0,
                )
            )
            await asyncio.sleep(0.01)

    await asyncio.gather(*(add(number) for number in range(12)))
    async with empty.write() as session:
        row = await session.get_one(CollectionRow, "3")
        row.version_base = 9
        await session.flush()
        async with empty.read() as reader:
            assert (await reader.get_one(CollectionRow, "3")).version_base == 0


async def test_foreign_keys_hold(empty):
    await upgrade(empty)
    with pytest.raises(IntegrityError):
        async with empty.write() as session:
            session.add(JobRow(id="j", collection_id="nowhere", kind="files", state="queued", created_at=0))
