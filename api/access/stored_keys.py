"""Keys that admins make: rows with a hash, scopes and an expiry; verified ones are kept for some seconds.

A request does not wait for the database while its key is kept. So a key that another process revokes goes on
working here for at most `FRESH_S` seconds; one that this process revokes ceases at once.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import func, or_, select, update

from api.access.caller import Caller
from api.access.keys import KEY_ID, PREFIX, digest
from api.db import UNAVAILABLE, ApiKeyRow, Database
from api.errors import InvalidRequest, UnknownKey

FRESH_S = 5.0
"""Seconds for which a verified key is not read again."""
USED_EVERY_S = 60.0
"""Seconds between two writes of a key's last use."""
_MOST_KEYS = 10_000
_log = structlog.get_logger("excerpta.keys")


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    expires_at: float | None
    fresh_until: float


class StoredKeys:
    """The keys in the database. `now` gives seconds since 1970 (UTC)."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._verified: dict[bytes, _Verified] = {}
        self._revocations = 0
        self._writes: set[asyncio.Task[None]] = set()

    async def create(
        self, name: str, scopes: Sequence[str], expires_in_s: int | None
    ) -> tuple[str, ApiKeyRow]:
        """Makes a key; returns it, which nobody can do again, and its row. Raises InvalidRequest."""
        key, now = PREFIX + secrets.token_urlsafe(32), self._now()
        row = ApiKeyRow(
            id=digest(key).hex()[:KEY_ID],
            digest=digest(key).hex(),
            name=name,
            scopes=msgspec.json.encode(sorted(set(scopes))).decode(),
            created_at=now,
            expires_at=None if expires_in_s is None else now + expires_in_s,
        )
        async with self._database.write() as session:
            if (await session.scalar(select(func.count()).select_from(ApiKeyRow)) or 0) >= _MOST_KEYS:
                raise InvalidRequest("name", f"there are {_MOST_KEYS} keys; revoke one first")
            session.add(row)
        return key, row

    async def all(self) -> list[ApiKeyRow]:
        """Every key's row, oldest first."""
        async with self._database.read() as session:
            order = ApiKeyRow.created_at, ApiKeyRow.id
            return list(await session.scalars(select(ApiKeyRow).order_by(*order)))

    async def revoke(self, key: str) -> ApiKeyRow:
        """Deletes the key of this id and returns its row. Raises UnknownKey."""
        async with self._database.write() as session:
            row = await session.get(ApiKeyRow, key, with_for_update=True)
            if row is None:
                raise UnknownKey(key)
            await session.delete(row)
        self._revocations += 1
        self._verified.pop(bytes.fromhex(row.digest), None)
        return row

    async def verify(self, given: bytes) -> Caller | None:
        """The caller whose key has this digest; None if there is none, or if it has expired."""
        now = self._now()
        kept = self._verified.get(given)
        if kept is None or now >= kept.fresh_until:
            kept = await self._read(given, now)
        if kept is None or (kept.expires_at is not None and now >= kept.expires_at):
            self._verified.pop(given, None)
            return None
        return kept.caller

    async def close(self) -> None:
        """Waits for writes of last uses."""
        await asyncio.gather(*self._writes)

    async def _read(self, given: bytes, now: float) -> _Verified | None:
        revocations = self._revocations
        async with self._database.read() as session:
            row = await session.get(ApiKeyRow, given.hex()[:KEY_ID])
        if row is None or not hmac.compare_digest(row.digest, given.hex()):
            return None
        if row.expires_at is None or now < row.expires_at:
            self._note_use(row, now)
        scopes = frozenset(msgspec.json.decode(row.scopes, type=list[str]))
        found = _Verified(Caller(key=row.id, scopes=scopes), row.expires_at, now + FRESH_S)
        # A key that was revoked while it was read must not be kept.
        if revocations == self._revocations:
            self._verified[given] = found
        return found

    def _note_use(self, row: ApiKeyRow, now: float) -> None:
        if row.last_used_at is None or now - row.last_used_at >= USED_EVERY_S:
            write = asyncio.create_task(self._write_use(row.id, now))
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)

    async def _write_use(self, key: str, now: float) -> None:
        last = ApiKeyRow.last_used_at
        due = or_(last.is_(None), last <= now - USED_EVERY_S)
        try:
            async with self._database.write() as session:
                await session.execute(
                    update(ApiKeyRow).where(ApiKeyRow.id == key, due).values(last_used_at=now)
                )
        except UNAVAILABLE:
            _log.warning("key.use-not-written", of=key)
