"""Shared parts of the wire types: names, limits, and the base classes of requests and replies."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

Metadata: TypeAlias = dict[str, str | int | float | bool | None | list[str | int | float | bool | None]]
Filter: TypeAlias = dict[str, Any]

Name = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description="Letters, digits, . _ -")
]
DocumentId = Annotated[str, Meta(min_length=1, max_length=512)]
QueryText = Annotated[str, Meta(min_length=1, max_length=20_000, description="The question, in plain words.")]
Limit = Annotated[int, Meta(ge=1, le=1000)]
Weight = Annotated[float, Meta(ge=0, le=1000)]


class Request(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of all request bodies."""


class Reply(Struct, kw_only=True):
    """Base of all reply bodies."""


class Place(Reply):
    """The pages of a file, or the rows of a table, that a text stands on: `first` to `last`, from 1."""

    kind: Literal["page", "row"]
    first: int
    last: int
