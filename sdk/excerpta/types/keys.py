"""API keys: what a key may do, and until when."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from excerpta.types.base import Name, Reply, Request

Scope: TypeAlias = Literal["search", "answer", "write", "admin"]


class KeySettings(Request):
    """What a new key may do: find passages, have answers written, change collections; `admin` may do all."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=4)]
    expires_in_s: Annotated[int, Meta(ge=1, le=315_360_000)] | None = None


class KeyReply(Reply):
    """One key, by its id. `last_used_at` is written at most once a minute."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    expires_at: str | None = None
    last_used_at: str | None = None


class NewKeyReply(KeyReply, kw_only=True):
    """A new key. `key` is shown only once."""

    key: str


class KeyList(Reply):
    """All keys, oldest first."""

    keys: list[KeyReply]
