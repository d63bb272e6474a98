"""The server's process: checks, the application, and an orderly shutdown."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any

import uvicorn
from litestar import Litestar

from api.access.first_key import banner, known_keys
from api.app import create_app
from api.commands.connections import bounded
from api.db import UNAVAILABLE
from api.errors import CannotStart
from api.settings import Settings
from api.telemetry.metrics import configure_logging
from base.errors import ExcerptaError
from retrieval.tokens import check_faiss


class Server(uvicorn.Server):
    """uvicorn, which notifies open streams of a shutdown, so that they can send a last event.

    `longest_end_s`: the process ends within so many seconds after a signal; None where it is not its own.
    """

    longest_end_s: float | None = None
    signalled = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends streams and waits for requests; a second one ends at once."""
        self.signalled = True
        app = self.config.app
        if isinstance(app, Litestar) and (service := app.state.get("service")) is not None:
            service.deadline.begin()
            service.closing.set()
        if self.longest_end_s is not None and not self.should_exit:
            # Whatever hangs: all on disk stays whole, and jobs are taken up at the next start.
            watch = threading.Timer(self.longest_end_s, os._exit, [0])
            watch.daemon = True
            watch.start()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """An orderly end is a success: uvicorn would let the signal kill the process after it."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


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
        http=bounded(settings),
        timeout_graceful_shutdown=max(1, round(settings.shutdown_s / 2)),
    )
    server = Server(config)
    server.longest_end_s = settings.shutdown_s
    app = config.app
    quiet = logging.getLogger("uvicorn.error")
    # A start that is refused is said once, in a sentence; uvicorn would show where in the code it was.
    quiet.addFilter(lambda record: _refusal(app) is None or record.levelno < logging.ERROR)
    try:
        server.run()
    finally:
        if (error := _refusal(app)) is not None:
            raise error from None
    status = 0 if server.started else 1
    if server.signalled and server.longest_end_s is not None:
        _leave(status)
    return status


def _leave(status: int) -> None:
    """Ends the process now: the interpreter would wait for threads that still read, without limit."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _refusal(app: Any) -> Exception | None:
    """The error that a user can do something about, and that ended the start."""
    error = app.state.get("refused")
    if isinstance(error, UNAVAILABLE):
        cause = getattr(error, "orig", None) or error
        return CannotStart(f"the database or a file cannot be used ({cause or type(error).__name__})")
    return error if isinstance(error, ExcerptaError) else None


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
