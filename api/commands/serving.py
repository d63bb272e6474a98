"""The server's process: checks, the application, and an orderly shutdown."""

from __future__ import annotations

import sys
from types import FrameType

import uvicorn
from litestar import Litestar

from api.access.first_key import banner, known_keys
from api.app import create_app
from api.settings import Settings
from api.telemetry.metrics import configure_logging
from retrieval.tokens import check_faiss


class Server(uvicorn.Server):
    """uvicorn, which notifies open streams of a shutdown, so that they can send a last event."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends streams and waits for requests; a second one ends at once."""
        app = self.config.app
        if isinstance(app, Litestar) and (service := app.state.get("service")) is not None:
            service.closing.set()
        super().handle_exit(sig, frame)


def serve(settings: Settings, log_level: str) -> int:
    """Serves until a signal; returns the exit status. Raises ExcerptaError for what stands in its way."""
    check_faiss()
    keys = known_keys(settings, lambda key: _show(banner(key, settings)))
    configure_logging(log_level)
    config = uvicorn.Config(
        create_app(settings, keys),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_s)),
    )
    server = Server(config)
    server.run()
    return 0 if server.started else 1


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
