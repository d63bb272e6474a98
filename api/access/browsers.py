"""Keeps the web pages of other sites out of a service that has no keys, and demands JSON where JSON is read.

A browser sends requests for whatever page is open in it. Where no key is needed, such a page could ask and
change everything, by a name that resolves to this machine (DNS rebinding) or by a form that passes as JSON.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import BodyKwarg

from api.errors import ForeignPage, UnknownHost
from api.settings import Settings

ANY = "*"
_LOOPBACK = "localhost"
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
_SCHEMES = ("http", "https")  # a proxy may have ended TLS
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BrowserGuard:
    """Refuses requests by other names than the service's own, and those of other sites' pages.

    Only for a service without keys: with keys, a page would need one.
    """

    def __init__(self, settings: Settings) -> None:
        bound = "" if settings.host in _EVERYWHERE else settings.host
        configured = {bound, *settings.allowed_hosts, _host_of(settings.public_url)}
        self._hosts = {name.lower() for name in configured if name}
        self._origins = {origin_of(one) for one in (*settings.cors_origins, settings.public_url) if one}

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        """Raises UnknownHost and ForeignPage."""
        headers = connection.headers
        host = headers.get("host", "")
        if not self.knows(host) and not handler.opt.get("public"):
            raise UnknownHost(host[:100])
        origin = headers.get("origin")
        if origin is not None:
            if origin_of(origin) not in self._origins | {f"{scheme}://{host}".lower() for scheme in _SCHEMES}:
                raise ForeignPage(origin[:100])
            return
        # A link from another site opens a page in the browser; the other site sees nothing of it.
        opened = connection.scope.get("method") in _SAFE and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site") == "cross-site" and not opened:
            raise ForeignPage("cross-site")

    def knows(self, host: str) -> bool:
        """Whether a `Host` header is one of the service's own names.

        >>> guard = BrowserGuard(Settings(public_url="https://ask.example.org"))
        >>> [guard.knows(one) for one in ("localhost:8000", "[::1]:8000", "ask.example.org", "evil.example")]
        [True, True, True, False]
        """
        name = _host_of(f"//{host}")
        return ANY in self._hosts or name in self._hosts or _is_loopback(name)


async def demand_json(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises a 415 where JSON is read and the body is called something else: a form needs no leave."""
    if not isinstance(handler, HTTPRouteHandler) or (field := handler.parsed_data_field) is None:
        return
    body = field.kwarg_definition
    if not isinstance(body, BodyKwarg) or body.media_type != RequestEncodingType.JSON:
        return
    given = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/json" and not given.endswith("+json"):
        raise HTTPException("send JSON, with the header `Content-Type: application/json`", status_code=415)


def origin_of(url: str) -> str:
    """Scheme and host of an address, as browsers write an origin.

    >>> origin_of("HTTPS://Ask.example.org/x")
    'https://ask.example.org'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}".lower()


def base_url(request: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> str:
    """What links of replies begin with: the public address, the request's own where it is known, or nothing.

    Whoever sends a request chooses its `Host`, so a name that is not configured never becomes a link.
    """
    if settings.public_url:
        return settings.public_url
    known = BrowserGuard(settings).knows(request.headers.get("host", ""))
    return str(request.base_url) if known else ""


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == _LOOPBACK or name.endswith(f".{_LOOPBACK}"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
