"""Compacts the index of a collection in a data directory, while services over it continue."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from api.archive.on_disk import collection_row, refuse_no_data
from api.db import CollectionRow, Database
from api.settings import Settings
from retrieval.collections.compacting import Compacted, compact
from retrieval.errors import CorruptSegment


def compact_collection(settings: Settings, name: str) -> Compacted:
    """Compacts the current index of a collection; its version counts as the services count it.

    Raises UnknownCollection, InvalidSettings and CorruptSegment.
    """
    refuse_no_data(settings)
    while True:
        row = asyncio.run(_row(settings, name))
        try:
            done = compact(settings.data_dir / "collections" / row.directory)
        except (CorruptSegment, FileNotFoundError):
            if asyncio.run(_row(settings, name)).directory == row.directory:
                raise
            continue  # a rebuild has put another index in its place
        return replace(done, version=row.version_base + done.version)


async def _row(settings: Settings, name: str) -> CollectionRow:
    database = Database(settings.database)
    try:
        return await collection_row(database, name)
    finally:
        await database.close()
