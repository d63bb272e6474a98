"""Finds the allowed field names and values, for errors about a request with unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException

_INDEX = re.compile(r"\[[^\]]*\]")


def with_allowed(request: Request[Any, Any, Any], error: ValidationException) -> ValidationException:
    """The error, with the allowed names beside each unknown field or value where they are known."""
    data = request.route_handler.parsed_data_field
    if data is None or not isinstance(error.extra, list):
        return error
    extra = [_explained(one, data.raw) if isinstance(one, dict) else one for one in error.extra]
    return ValidationException(detail=error.detail, extra=extra)


def _explained(one: dict[str, Any], body: Any) -> dict[str, Any]:
    message = str(one.get("message", ""))
    key = one.get("key", "") if one.get("source") == "body" else None
    if key is None or not ("unknown field" in message or "Invalid enum value" in message):
        return one
    allowed = allowed_at(body, "" if key == "data" else key, fields="unknown field" in message)
    if not allowed:
        return one
    return {**one, "message": f"{message}; allowed are {', '.join(allowed)}", "allowed": allowed}


def allowed_at(body: Any, key: str, *, fields: bool) -> list[str]:
    """The field names, or the values, that a body's type allows at a place such as `plan.retrieve`.

    >>> from excerpta.types import QueryRequest
    >>> allowed_at(QueryRequest, "plan.context.prompt", fields=True)
    ['name', 'modules', 'parameters']
    >>> allowed_at(QueryRequest, "explain", fields=False)
    ['matrix']
    """
    kinds = list(_parts(body))
    for name in filter(None, _INDEX.sub("", key).split(".")):
        kinds = [
            part
            for kind in kinds
            if _is_struct(kind) and name in kind.__struct_fields__
            for part in _parts(get_type_hints(kind, include_extras=True)[name])
        ]
    if fields:
        return [name for kind in kinds if _is_struct(kind) for name in kind.__struct_encode_fields__]
    return [kind for kind in kinds if isinstance(kind, str)]


def _parts(kind: Any) -> Iterator[Any]:
    """The types a type is made of: members of unions and lists, values of literals."""
    if arguments := get_args(kind):
        for argument in arguments:
            yield from _parts(argument)
    else:
        yield kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
