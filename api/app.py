"""The application: routes over one service, every error a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.types import Scope

from api import __version__
from api.access.browsers import BrowserGuard, demand_json, origin_of
from api.access.caller import Caller
from api.access.keys import PUBLIC, KeyGuard, caller_of, digest
from api.commands.connections import BodyDeadline
from api.http.method_schemas import with_methods
from api.http.problems import respond
from api.routes import (
    CHAT,
    COLLECTIONS,
    DOCUMENTS,
    JOBS,
    KEYS,
    METHODS,
    PROFILE,
    PROMPTS,
    QUERIES,
    SOURCES,
    STAGES,
    SYSTEM,
    UPLOADS,
)
from api.service import Service, running
from api.settings import Settings
from api.telemetry.metrics import Metrics, RequestWatch

_MB = 1 << 20
_FORM_OVERHEAD = 16 * _MB
_TAGS = {
    "collections": "Named sets of documents, indexed together.",
    "documents": "Documents, a few at a time.",
    "jobs": "Uploads of any size, indexed in the background; they survive a restart.",
    "keys": "Keys that open this service, each for some of what it does.",
    "prompts": "Texts of your own that answers are written with, read once and kept.",
    "queries": "Questions: passages, answers, citations.",
    "sources": "The files that documents were read from.",
    "stages": "Single stages for texts of your own.",
    "system": "The service about itself.",
}


def create_app(settings: Settings, keys: Sequence[bytes] | None = None) -> Litestar:
    """The ASGI application for these settings. Nothing is opened before its lifespan begins.

    `keys`: the digests of the API keys that open it; None for those of the settings.
    """
    keys = [digest(key) for key in settings.api_keys] if keys is None else keys
    handlers = [*SYSTEM]
    if settings.serves:
        handlers += [*COLLECTIONS, *DOCUMENTS, *SOURCES, *JOBS, *PROMPTS, *QUERIES]
        handlers += [*CHAT, *STAGES, *METHODS, *PROFILE, *KEYS]
    routers: list[Router] = []
    if settings.serves:
        # A form is a little longer than the files in it; the spool counts the files.
        most = settings.max_upload_mb * _MB + _FORM_OVERHEAD
        routers = [Router("/", route_handlers=UPLOADS, request_max_body_size=most)]
    return Litestar(
        [*handlers, *routers],
        lifespan=[lambda app: _lifespan(app, settings)],
        dependencies={
            "service": Provide(_service, sync_to_thread=False),
            "caller": Provide(_caller, sync_to_thread=False),
        },
        guards=[*_browser_guards(settings, keys), KeyGuard(keys), demand_json],
        cors_config=_cors(settings),
        middleware=[RequestWatch(_metrics), BodyDeadline(settings.body_timeout_s)],
        exception_handlers={HTTPException: respond, Exception: respond},
        request_max_body_size=settings.max_body_mb * _MB,
        multipart_form_part_limit=settings.max_upload_files + 1,
        openapi_config=_openapi(secured=bool(keys)),
        logging_config=None,
        state=State({"settings": settings}),
    )


def _browser_guards(settings: Settings, keys: Sequence[bytes]) -> list[BrowserGuard]:
    return [] if keys else [BrowserGuard(settings)]


def _cors(settings: Settings) -> CORSConfig | None:
    """Lets browsers show replies to pages of the configured origins; never to all."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=[origin_of(one) for one in settings.cors_origins],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-API-Key"],
        expose_headers=["Location", "Retry-After", "Server-Timing"],
    )


@asynccontextmanager
async def _lifespan(app: Litestar, settings: Settings) -> AsyncIterator[None]:
    try:
        async with running(settings) as service:
            app.state.service = service
            yield
    except Exception as error:
        if app.state.get("service") is None:
            app.state.refused = error  # the command says it in a sentence
        raise


def _service(state: State) -> Service:
    service: Service = state.service
    return service


def _caller(request: Request[Any, Any, Any], service: NamedDependency[Service]) -> Caller:
    """The caller of a request.

    It names the service only for its speed: Litestar starts a group of tasks for dependencies that it could
    resolve at the same time.
    """
    return caller_of(request)


def _metrics(scope: Scope) -> Metrics | None:
    service: Service | None = scope["litestar_app"].state.get("service")
    return service.metrics if service else None


class _Rendered(JsonRenderPlugin):
    """Serves the OpenAPI document with one schema a method."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        return super().render(request, with_methods(openapi_schema))


def _openapi(*, secured: bool) -> OpenAPIConfig:
    scheme = SecurityScheme(type="http", scheme="bearer", description="An API key of this service.")
    return OpenAPIConfig(
        title="Excerpta",
        version=__version__,
        description="Answers questions from your own documents, with citations.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        components=Components(security_schemes={"key": scheme}) if secured else Components(),
        security=[{"key": []}] if secured else None,
        use_handler_docstrings=True,
        openapi_router=Router("/openapi", route_handlers=[], opt=PUBLIC, include_in_schema=False),
        render_plugins=[_Rendered()],
    )
