"""API keys: requests must carry one of the service's keys. Without keys, every request passes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.access.caller import LOCAL, Caller
from api.errors import Unauthorized

_STATE = "excerpta_caller"
_KEY_ID = 12
"""Hexadecimal digits of a key's digest that name the key in jobs and logs."""

PUBLIC = {"public": True}
"""The `opt` of a route that needs no key."""


class KeyGuard:
    """Lets a request pass that carries a key of one of these digests, or goes to a public route."""

    def __init__(self, digests: Sequence[bytes]) -> None:
        # Digests have one length, so that comparing them tells nothing about the keys.
        self._digests = list(digests)

    # Litestar would call a synchronous guard in a thread, which takes longer than the comparison.
    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        """Sets the request's caller. Raises Unauthorized."""
        if not self._digests or handler.opt.get("public"):
            return
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        given = digest(key.strip())
        known = [hmac.compare_digest(given, one) for one in self._digests]
        if scheme.lower() != "bearer" or not any(known):
            raise Unauthorized
        caller = Caller(key=given.hex()[:_KEY_ID])
        connection.scope["state"][_STATE] = caller
        structlog.contextvars.bind_contextvars(tenant=caller.tenant, key=caller.key)


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """The caller that the guard found; the local one where the service has no keys."""
    caller: Caller = request.scope["state"].get(_STATE, LOCAL)
    return caller


def digest(key: str) -> bytes:
    """The SHA-256 of a key, which is stored and compared in its place."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
