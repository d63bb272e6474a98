"""Finds everything that is damaged in a collection: files of its index, rows of its documents."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from sqlalchemy import select

from api.collections.library import Entry, Library
from api.db import Database, DocumentRow
from api.db.documents import document_of
from api.errors import CorruptDocument, UnknownCollection
from retrieval.archive import pin
from retrieval.collections.collection import check_files

_ROWS = 500
_PAUSE_S = 0.5
_LOOKS = 3


async def damage(database: Database, library: Library, entry: Entry) -> list[str]:
    """One sentence for each damaged file and row; empty if there are none. Changes nothing.

    The index need not open. Where its files hold, each document is compared with its passages. Index and
    database are written one after the other, so a difference between them counts only if it stays.
    """
    problems = await library.run(check_files, library.path(entry))
    if problems:
        return [str(one) for one in problems] + (await _rows(database, library, entry, compared=False))[0]
    corrupt, stayed = await _rows(database, library, entry, compared=True)
    for _ in range(_LOOKS):
        if not stayed:
            return corrupt
        await asyncio.sleep(_PAUSE_S)
        try:
            entry = await library.by_id(entry.id)  # a rebuild may have put another index in its place
        except UnknownCollection:
            return corrupt
        corrupt, differences = await _rows(database, library, entry, compared=True)
        stayed &= differences
    remedy = f"Run `excerpta rebuild -c {entry.name}`."
    return corrupt + [f"{one}. {remedy}" for one in sorted(stayed)]


async def _rows(
    database: Database, library: Library, entry: Entry, *, compared: bool
) -> tuple[list[str], set[str]]:
    """The damaged rows, and the differences of the others from the index."""
    corrupt: list[str] = []
    differences: set[str] = set()
    with ExitStack() as stack:
        agreement = None
        if compared:
            agreement = (await library.run(stack.enter_context, pin(library.path(entry)))).agreement()
        async with database.read() as session:
            rows = await session.stream_scalars(
                select(DocumentRow)
                .where(DocumentRow.collection_id == entry.id, ~DocumentRow.deleted)
                .order_by(DocumentRow.id)
                .execution_options(yield_per=_ROWS)
            )
            async for row in rows:
                try:
                    document = document_of(row)
                except CorruptDocument as problem:
                    corrupt.append(str(problem))
                    continue
                if agreement is not None and (difference := agreement.differs(document)):
                    differences.add(difference)
        if agreement is not None and agreement.left > len(corrupt):
            differences.add("documents of the index are not in the database")
    return corrupt, differences
