"""API keys. Without keys in the settings, every request that reaches the address is accepted."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.errors import Unauthorized

PUBLIC = {"public": True}
"""The `opt` of a route that needs no key."""


class KeyGuard:
    """Lets a request pass that brings one of the keys, or goes to a public route."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Digests have one length, so that comparing them tells nothing about the keys.
        self._digests = [_digest(key) for key in keys]

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises Unauthorized."""
        if not self._digests or handler.opt.get("public"):
            return
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        given = _digest(key.strip())
        known = [hmac.compare_digest(given, digest) for digest in self._digests]
        if scheme.lower() != "bearer" or not any(known):
            raise Unauthorized


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
