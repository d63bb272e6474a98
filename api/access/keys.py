"""API keys: requests must carry one of the service's keys, with a scope of the route that they ask for.

Keys of the settings may do everything. A service without such a key lets every request pass.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from api.access.caller import LOCAL, Caller
from api.errors import Forbidden, Unauthorized

_STATE = "excerpta_caller"
PREFIX = "exk_"
"""The first characters of keys that the service makes."""
KEY_ID = 12
"""Hexadecimal digits of a key's digest that name the key in jobs and logs."""

PUBLIC = {"public": True}
"""The `opt` of a route that needs no key."""


_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def needs(*scopes: str) -> dict[str, Any]:
    """The `opt` of a route that needs one of these scopes."""
    return {"scopes": scopes}


def scopes_of(handler: BaseRouteHandler) -> tuple[str, ...]:
    """The scopes of which a route needs one; where it names none, reading needs any and the rest `write`."""
    named: tuple[str, ...] | None = handler.opt.get("scopes")
    if named is not None:
        return named
    reads = isinstance(handler, HTTPRouteHandler) and handler.http_methods <= _READS
    return ("search", "answer", "write") if reads else ("write",)


class Verifier(Protocol):
    """Keys that are not in the settings."""

    async def verify(self, given: bytes) -> Caller | None:
        """The caller whose key has this digest, None if there is none."""


class KeyGuard:
    """Lets a request pass that carries a key with a scope of its route, or goes to a public route."""

    def __init__(self, digests: Sequence[bytes]) -> None:
        # Digests have one length, so that comparing them tells nothing about the keys.
        self._digests = list(digests)

    # Litestar would call a synchronous guard in a thread, which takes longer than the comparison.
    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        """Sets the request's caller. Raises Unauthorized, Forbidden."""
        if not self._digests or handler.opt.get("public"):
            return
        caller = await self._caller(_given(connection), connection.app.state.service.keys)
        if caller is None:
            raise Unauthorized
        connection.scope["state"][_STATE] = caller
        structlog.contextvars.bind_contextvars(tenant=caller.tenant, key=caller.key)
        if not caller.may(*(scopes := scopes_of(handler))):
            raise Forbidden(scopes)

    async def _caller(self, key: str, stored: Verifier) -> Caller | None:
        given = digest(key)
        known = [hmac.compare_digest(given, one) for one in self._digests]
        if any(known):
            return Caller(key=given.hex()[:KEY_ID])
        return await stored.verify(given) if key.startswith(PREFIX) else None


def _given(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The key of a request, "" without one. `Authorization` counts where both headers are there."""
    if "authorization" not in connection.headers:
        return connection.headers.get("x-api-key", "").strip()
    scheme, _, key = connection.headers["authorization"].partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """The caller that the guard found; the local one where the service has no keys."""
    caller: Caller = request.scope["state"].get(_STATE, LOCAL)
    return caller


def digest(key: str) -> bytes:
    """The SHA-256 of a key, which is stored and compared in its place."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
