"""Brings the database's tables to this release, under a lock."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations
from api.db.database import Database
from api.errors import DatabaseTooNew

_LOCK = 7_246_381_105  # any number; it only has to be the same in every process


async def upgrade(database: Database, revision: str = "head") -> None:
    """Brings the tables up to `revision`; other processes that try meanwhile wait, then find it done.

    Raises DatabaseTooNew for a revision this release does not know.
    """
    async with database.engine.execution_options(immediate=True).begin() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        await connection.run_sync(_upgrade, revision)


def configuration(connection: Connection | None) -> Config:
    """Alembic's configuration for one connection; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    config = configuration(connection)
    at = _current(connection)
    if at is not None and at not in {script.revision for script in _scripts(config)}:
        raise DatabaseTooNew(at)
    command.upgrade(config, revision)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts(config: Config):  # type: ignore[no-untyped-def]
    return ScriptDirectory.from_config(config).walk_revisions()
