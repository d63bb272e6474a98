"""Prompts by name. They are rows in the database; blocks of their modules are in the prefix store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import msgspec
from excerpta.types import PromptModule
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from api.access.caller import Caller
from api.collections.storable import check_name, clean
from api.db import Database, PromptRow
from api.device.networks import Networks
from api.errors import InvalidRequest, UnknownPrompt
from api.query import plan as plans
from context import FilledPrompt, Module, check_modules, choose
from models import Priority

_MOST_PROMPTS = 1000


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the database has it; times are seconds since 1970 (UTC)."""

    name: str
    modules: list[PromptModule]
    created_at: float
    updated_at: float


class Prompts:
    """All prompts. If another service generates the answers (`local` is False), modules are only text."""

    def __init__(
        self, database: Database, networks: Networks, threads: ThreadPoolExecutor, *, local: bool
    ) -> None:
        self._database = database
        self._networks = networks
        self._threads = threads
        self._local = local

    async def put(self, name: str, modules: Sequence[PromptModule]) -> Prompt:
        """Makes a prompt, or replaces it. Raises InvalidPromptModule, InputTooLong, InvalidRequest."""
        check_name(name)
        modules = [msgspec.structs.replace(one, text=clean(one.text)) for one in modules]
        plain = _plain(modules)
        check_modules(plain)
        if self._local:
            device = self._networks.device
            with device.admit():
                await device.run(
                    lambda: self._networks.engine.check_modules(plain), priority=Priority.INTERACTIVE
                )
        now, text = time.time(), msgspec.json.encode(modules).decode()
        insert = sqlite.insert if self._database.sqlite else postgresql.insert
        row = insert(PromptRow).values(name=name, modules=text, created_at=now, updated_at=now)
        replaced = {column: row.excluded[column] for column in ("modules", "updated_at")}
        async with self._database.write() as session:
            there = await session.scalar(select(PromptRow.modules).where(PromptRow.name == name))
            count = await session.scalar(select(func.count()).where(PromptRow.name != name))
            if (count or 0) >= _MOST_PROMPTS:
                raise InvalidRequest("name", f"there are {_MOST_PROMPTS} prompts; delete one first")
            await session.execute(row.on_conflict_do_update(index_elements=["name"], set_=replaced))
        if there not in (None, text):
            await self._forget(name)
        return await self.get(name)

    async def get(self, name: str) -> Prompt:
        """A prompt by its name. Raises UnknownPrompt."""
        async with self._database.read() as session:
            row = await session.get(PromptRow, name)
        if row is None:
            raise UnknownPrompt(name)
        return _prompt(row)

    async def all(self) -> list[Prompt]:
        """Every prompt, by name."""
        async with self._database.read() as session:
            return [_prompt(row) for row in await session.scalars(select(PromptRow).order_by(PromptRow.name))]

    async def delete(self, name: str) -> Prompt:
        """Deletes a prompt and its cached blocks; returns the prompt. Raises UnknownPrompt."""
        async with self._database.write() as session:
            row = await session.get(PromptRow, name, with_for_update=True)
            if row is None:
                raise UnknownPrompt(name)
            await session.delete(row)
        await self._forget(name)
        return _prompt(row)

    async def filled(self, use: plans.Prompt | None, caller: Caller) -> FilledPrompt | None:
        """The modules of a plan's prompt, parameters filled in. Raises UnknownPrompt, InvalidPromptModule."""
        if use is None:
            return None
        found = await self.get(use.name)
        arguments = {parameter: clean(value) for parameter, value in use.parameters.items()}
        chosen = choose(_plain(found.modules), use.modules, arguments, document=use.name)
        return replace(chosen, salt=caller.modules_salt.encode())

    async def _forget(self, name: str) -> None:
        if self._local:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._networks.forget_prompt, name)


def _plain(modules: Sequence[PromptModule]) -> list[Module]:
    return [Module(one.name, one.text, one.parameters) for one in modules]


def _prompt(row: PromptRow) -> Prompt:
    modules = msgspec.json.decode(row.modules, type=list[PromptModule])
    return Prompt(row.name, modules, row.created_at, row.updated_at)
