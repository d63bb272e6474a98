"""Ties a data directory to its database by an identity in both, so that neither works with a stranger.

A service over the wrong database would take every index and every upload for left over.
"""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.database import Database
from api.db.tables import CollectionRow, ServiceRow
from api.errors import ForeignDatabase
from api.http.ids import new_id

FILE = "service-id"


async def tie(database: Database, directory: Path) -> str:
    """The identity of both; made at the first start. Raises ForeignDatabase when they do not belong together.

    A data directory of an earlier release has none yet. It gets one if the database names at least one of
    its collections, or if neither has any.
    """
    path = directory / FILE
    with FileLock(directory / f".{FILE}.lock"):
        async with database.write() as session:
            row = await session.get(ServiceRow, 1)
            held = _read(path)
            if row is None and held is None:
                await _refuse_strangers(session, directory)
                identity = new_id("svc")
                _write(_draft(path), identity)
                session.add(ServiceRow(at=1, identity=identity))
                await session.flush()
            elif row is not None and held is None and _read(_draft(path)) == row.identity:
                identity = row.identity  # a first start that was killed half-way
            elif row is None or row.identity != held:
                raise ForeignDatabase(str(path), held, row.identity if row else None)
            else:
                return held
        _draft(path).replace(path)
        _flush(directory)
    return identity


async def refuse_stranger(database: Database, directory: Path) -> None:
    """Raises ForeignDatabase if both have an identity, and not the same. Writes nothing."""
    async with database.read() as session:
        row = await session.get(ServiceRow, 1)
    held = _read(directory / FILE)
    if row is not None and held is not None and row.identity != held:
        raise ForeignDatabase(str(directory / FILE), held, row.identity)


async def _refuse_strangers(session: AsyncSession, directory: Path) -> None:
    there = {one.name for one in (directory / "collections").glob("*") if one.is_dir()}
    rows = await session.scalar(select(func.count()).select_from(CollectionRow)) or 0
    named = set(await session.scalars(select(CollectionRow.directory)))
    if (there or rows) and not there & named:
        raise ForeignDatabase(str(directory), None, None, indexes=len(there), rows=rows)


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return "a damaged file"


def _write(path: Path, identity: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(identity + "\n")
        file.flush()
        os.fsync(file.fileno())


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
