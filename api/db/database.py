"""Sessions on SQLite or PostgreSQL: reads that never wait for writers, writes that take their lock first."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

_PATIENCE_S = 1.5
"""Longest wait for a connection that answers; a reply that says so comes within two seconds."""
_CONNECT_S = 5.0
_COMMAND_S = 120.0
_CONNECTIONS = 10
_SQLITE_PATIENCE = 30.0  # seconds
_SQLITE_PRAGMAS = (
    f"busy_timeout={1000 * _SQLITE_PATIENCE:.0f}",
    "synchronous=FULL",  # a job's batch that was reported as committed survives a power cut
    "foreign_keys=ON",
)

UNAVAILABLE = (DBAPIError, NoConnectionFree, OSError)
"""The errors that a session raises when the database cannot be reached or drops the connection."""


class Database:
    """One engine; `read()` and `write()` give a session in a transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _engine(url, sqlite=self.sqlite)
        self._left: set[asyncio.Future[None]] = set()
        self._reads = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writes = async_sessionmaker(
            self.engine.execution_options(immediate=True), expire_on_commit=False
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database. Raises one of `UNAVAILABLE` within two seconds."""
        session = await self._connected(self._reads())
        try:
            yield session
        finally:
            await _closed(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are committed at the end of the block, or not at all."""
        session = await self._connected(self._writes())
        try:
            yield session
            await session.commit()
        finally:
            await _closed(session)

    async def ping(self) -> None:
        """Checks that the database can be reached. Raises one of `UNAVAILABLE` if not."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def _connected(self, session: AsyncSession) -> AsyncSession:
        """The session with a connection that has just answered.

        A server that hangs answers neither the question nor its end, so the attempt is left behind, not
        awaited. SQLite has no server: there a writer waits for its turn.
        """
        task = asyncio.ensure_future(session.connection())
        try:
            done, _ = await asyncio.wait({task}, timeout=None if self.sqlite else _PATIENCE_S)
        except BaseException:
            self._leave(session, task)
            raise
        if not done:
            self._leave(session, task)
            raise NoConnectionFree(f"no connection to the database within {_PATIENCE_S} s")
        try:
            task.result()
        except BaseException:
            await _closed(session)
            raise
        return session

    def _leave(self, session: AsyncSession, task: asyncio.Future[Any]) -> None:
        async def end() -> None:
            await asyncio.gather(task, return_exceptions=True)
            with contextlib.suppress(Exception):
                await session.close()

        task.cancel()
        ending = asyncio.ensure_future(end())
        self._left.add(ending)
        ending.add_done_callback(self._left.discard)

    async def close(self) -> None:
        """Closes every connection; one that does not answer is left behind."""
        closing = asyncio.ensure_future(self.engine.dispose())
        await asyncio.wait({closing, *self._left}, timeout=_PATIENCE_S)


async def _closed(session: AsyncSession) -> None:
    # Also where the request is cancelled meanwhile: the connection goes back to the pool.
    await asyncio.shield(asyncio.ensure_future(session.close()))


def _engine(url: str, *, sqlite: bool) -> AsyncEngine:
    if not sqlite:
        engine = create_async_engine(
            url,
            pool_pre_ping=True,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_timeout=_PATIENCE_S,
            connect_args={"timeout": _CONNECT_S, "command_timeout": _COMMAND_S},
        )
        event.listen(engine.sync_engine, "do_connect", _connect_postgresql)
        return engine
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _connect_postgresql(dialect: Dialect, _record: object, args: list[Any], options: dict[str, Any]) -> Any:
    # SQLAlchemy passes on what the driver raises while it connects (a server that is starting up, or full)
    # as it is, and nobody who looks for database errors would see it.
    from asyncpg import PostgresError  # type: ignore[import-untyped]

    try:
        return dialect.connect(*args, **options)
    except (PostgresError, OSError) as error:
        raise dialect.loaded_dbapi.OperationalError(str(error) or type(error).__name__) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # SQLite's driver would begin transactions by itself, and never for reads.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    # A new file is switched once, by whichever connection comes first. SQLite does not let the others wait
    # for that: they are refused at once, whatever their busy timeout says.
    deadline = time.monotonic() + _SQLITE_PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # A writer that starts as a reader cannot wait for another writer; it would fail at once.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
