"""Databases, servers and a profile of tiny random networks for the tests of the service."""

from __future__ import annotations

import asyncio
import secrets

import pytest

POSTGRES = "127.0.0.1", 5432


def _postgres_user() -> str | None:
    """A user that may make databases on the local server, if there is one."""
    import asyncpg

    async def find() -> str | None:
        for user in ("postgres", "root"):
            try:
                connection = await asyncpg.connect(
                    host=POSTGRES[0], port=POSTGRES[1], user=user, database="postgres", timeout=2
                )
            except (OSError, TimeoutError, asyncpg.PostgresError):
                continue
            await connection.close()
            return user
        return None

    return asyncio.run(find())


def _postgres_command(user: str, command: str) -> None:
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(
            host=POSTGRES[0], port=POSTGRES[1], user=user, database="postgres"
        )
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def postgres_user() -> str:
    user = _postgres_user()
    if user is None:
        pytest.skip("no PostgreSQL with trust authentication on 127.0.0.1:5432")
    return user


@pytest.fixture
def postgres_url(postgres_user):
    """A scratch database of its own, dropped afterwards."""
    name = f"excerpta_test_{secrets.token_hex(4)}"
    _postgres_command(postgres_user, f"CREATE DATABASE {name}")
    yield f"postgresql+asyncpg://{postgres_user}@{POSTGRES[0]}:{POSTGRES[1]}/{name}"
    _postgres_command(postgres_user, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    return request.getfixturevalue("postgres_url")
