"""Metrics and logs: durations and counts, never the text of questions or documents."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector
from structlog.tracebacks import ExceptionDictTransformer

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_log = structlog.get_logger("excerpta.http")


class Metrics:
    """The counters of one service, in a separate registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "excerpta_request_seconds",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.stages = Histogram(
            "excerpta_stage_seconds",
            "Stages of queries; `total` is the whole query.",
            ["stage"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.queries = Counter(
            "excerpta_queries", "Queries by how they ended.", ["outcome"], registry=self._registry
        )
        self.tokens = Counter(
            "excerpta_tokens",
            "Tokens read, taken from the prefix store, and written.",
            ["kind"],
            registry=self._registry,
        )

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge whose value is read at each scrape."""
        Gauge(f"excerpta_{name}", help_text, registry=self._registry).set_function(read)

    def collect(self, collector: Collector) -> None:
        """Adds metrics that `collector` computes at each scrape."""
        self._registry.register(collector)

    def observe_stages(self, timings_ms: Mapping[str, float]) -> None:
        """Counts one query's stages."""
        for stage, milliseconds in timings_ms.items():
            self.stages.labels(stage).observe(milliseconds / 1000)

    def page(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)


class RequestWatch(ASGIMiddleware):
    """Times and logs every request by its route, not by its address, which holds names of documents."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, metrics: Callable[[Scope], Metrics | None]) -> None:
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Passes the request on and counts it when its reply is complete."""
        method = str(scope.get("method"))
        began = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - began
            route = str(scope.get("path_template") or "unknown")
            if metrics := self._metrics(scope):
                metrics.requests.labels(method, route, status).observe(seconds)
            _log.info(
                "http.request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


def leave_logging_to_host() -> None:
    """Sends log events to the `logging` of the host program, which decides what is shown.

    A program that configured structlog itself keeps that.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.processors.format_exc_info,
                structlog.processors.KeyValueRenderer(key_order=["event"]),
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )


def configure_logging(level: str = "info") -> None:
    """One JSON object a line on standard error, from this service and the libraries it uses."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without local variables, which hold questions and documents.
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = name != "uvicorn.access"
    for name in ("alembic", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
