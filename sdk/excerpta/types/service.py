"""Types about the service: models, statistics, health, API keys, and errors."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from excerpta.types.base import Name, Reply, Request

Scope: TypeAlias = Literal["search", "answer", "write", "admin"]


class ModelReply(Reply):
    """One model of the profile and where it comes from."""

    role: str
    name: str
    source: str
    bytes: int
    fingerprint: str
    licence: str
    available: bool


class CollectionModel(Reply):
    """A collection as OpenAI's API lists a model: a chat completion names it as its `model`."""

    id: str
    created: int
    object: Literal["model"] = "model"
    owned_by: str = "excerpta"


class ModelList(Reply):
    """The models of the profile in use; and in `data` the collections, as OpenAI's API lists models."""

    profile: str
    models: list[ModelReply]
    data: list[CollectionModel] = []
    object: Literal["list"] = "list"


class PrefixTierReply(Reply):
    """One tier of the prefix store since the start: `bytes` in `blocks`, of `capacity_bytes` at most.

    `saved_s` is the encoding time saved by blocks found here. `refused` counts blocks without room, `corrupt`
    damaged blocks, `errors` failed calls. For Redis, `blocks` and `bytes` count only what this process has
    written, and `capacity_bytes` is 0.
    """

    name: str
    blocks: int
    bytes: int
    capacity_bytes: int
    hits: int
    misses: int
    evictions: int
    refused: int
    corrupt: int
    errors: int
    saved_s: float


class PrefixStoreReply(Reply):
    """The store of encoded passages: its tiers, fastest first.

    `encoded` passages had to be made, in `encode_s` seconds; `shared` ones came out of another request that
    was making them.
    """

    tiers: list[PrefixTierReply]
    encoded: int
    encode_s: float
    shared: int


class StatsReply(Reply):
    """Contents and counters of the process. `prefix_store` is None until its first use."""

    prefix_store: PrefixStoreReply | None


class VerifyReply(Reply):
    """The problems of a collection's files, one line each; empty when every checksum holds."""

    corrupt: list[str]


class StatusReply(Reply):
    """The state of the service: `live` or `ready`, with its version and role."""

    status: str
    version: str
    role: str


class Problem(Reply):
    """RFC 9457 problem details; other members hold the facts."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None


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
