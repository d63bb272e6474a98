"""Routes about the service: health, metrics, documentation, problem types."""

from html import escape
from importlib.resources import files
from typing import Any

from excerpta.types import StatsReply, StatusReply
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api import __version__
from api.access.keys import PUBLIC
from api.http.contract import answered, problems, public_problems
from api.http.method_schemas import with_methods
from api.http.problems import problem_types
from api.service import Service
from api.telemetry.metrics import METRICS_TYPE
from api.telemetry.prefix_metrics import prefix_reply


@get("/health/live", operation_id="live", opt=PUBLIC, responses=public_problems(), tags=["system"])
async def live(service: NamedDependency[Service]) -> StatusReply:
    """Answers while the process runs. Nothing else is checked, so a slow database causes no restart."""
    return StatusReply(status="live", version=__version__, role=service.settings.role)


@get("/health/ready", operation_id="ready", opt=PUBLIC, responses=public_problems(503), tags=["system"])
async def ready(service: NamedDependency[Service]) -> StatusReply:
    """Answers 200 when the tables are migrated, the models are ready and the database responds."""
    service.readiness.check()
    await service.database.ping()
    return StatusReply(status="ready", version=__version__, role=service.settings.role)


@get(
    "/metrics",
    operation_id="metrics",
    responses={200: answered(str, "Prometheus's text format.", "text/plain"), **problems()},
    media_type=MediaType.TEXT,
    tags=["system"],
)
async def metrics(service: NamedDependency[Service]) -> Response[bytes]:
    """Counters and histograms for Prometheus."""
    return Response(service.metrics.page(), media_type=METRICS_TYPE)


@get("/v1/stats", operation_id="get_stats", responses=problems(), tags=["system"])
async def stats(service: NamedDependency[Service]) -> StatsReply:
    """Contents and counters of this process: the prefix store, tier by tier."""
    found = await service.library.run(service.networks.store_stats)
    return StatsReply(prefix_store=None if found is None else prefix_reply(found))


@get("/openapi.json", opt=PUBLIC, include_in_schema=False)
async def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The OpenAPI document, with one schema a method."""
    return with_methods(request.app.openapi_schema.to_schema())


@get(["/", "/docs"], opt=PUBLIC, include_in_schema=False, media_type=MediaType.HTML)
async def docs() -> str:
    """A page with the OpenAPI document. It loads nothing from other servers."""
    return (files("api.playground") / "docs.html").read_text("utf-8")


@get("/problems/{slug:str}", opt=PUBLIC, include_in_schema=False, media_type=MediaType.HTML)
async def problem(slug: FromPath[str]) -> str:
    """The description of a problem type."""
    found = problem_types().get(slug)
    if found is None:
        raise NotFoundException
    title = escape(found.title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>Problem type <code>{found.type}</code>, HTTP status {found.status}. "
        "The <code>detail</code> of the reply has the remedy; its other members hold the facts.</p></html>"
    )


SYSTEM = [live, ready, metrics, stats, openapi, docs, problem]
