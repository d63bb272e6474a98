"""Finds a collection in a data directory, for commands that work next to a running service."""

from __future__ import annotations

from sqlalchemy import select

from api.db import CollectionRow, Database
from api.errors import InvalidSettings, UnknownCollection
from api.settings import Settings


async def collection_row(database: Database, name: str) -> CollectionRow:
    """The row of a collection as it is now. Raises UnknownCollection."""
    async with database.read() as session:
        row = await session.scalar(select(CollectionRow).where(CollectionRow.name == name))
    if row is None:
        raise UnknownCollection(name)
    return row


def refuse_no_data(settings: Settings) -> None:
    """Raises InvalidSettings if there is no database: SQLite would create an empty one."""
    if not settings.database_url and not (settings.data_dir / "excerpta.db").is_file():
        raise InvalidSettings(
            "data_dir",
            str(settings.data_dir),
            "no service has its data there; name the directory with --data",
        )
