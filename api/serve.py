"""`excerpta serve`: the service over HTTP, ended in order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import get_args

import uvicorn
from litestar import Litestar

from api.app import create_app
from api.layout import refuse_shadows
from api.settings import Role, Settings
from api.telemetry import configure_logging
from models.errors import ExcerptaError
from retrieval.tokens import check_faiss


class Server(uvicorn.Server):
    """uvicorn, which tells open streams that the service ends, so that they can say so."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends streams and waits for requests; a second one ends at once."""
        app = self.config.app
        if isinstance(app, Litestar) and (service := app.state.get("service")) is not None:
            service.closing.set()
        super().handle_exit(sig, frame)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the server until a signal; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        refuse_shadows()
        check_faiss()
        settings = Settings.from_env(
            data_dir=options.data,
            host=options.host,
            port=options.port,
            profile=options.profile,
            role=options.role,
            insecure=options.insecure or None,
        )
        settings.refuse_open_door()
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    configure_logging(options.log_level)
    config = uvicorn.Config(
        create_app(settings),
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta serve",
        description="Runs the server. What is not said here comes from EXCERPTA_* variables.",
    )
    parser.add_argument("--host", help="address to listen on (EXCERPTA_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port (EXCERPTA_PORT, 8000)")
    parser.add_argument("--data", type=Path, help="data directory (EXCERPTA_DATA, ./data)")
    parser.add_argument("--profile", help="the models: a name, or a .toml file (EXCERPTA_PROFILE, small)")
    parser.add_argument(
        "--role", choices=get_args(Role), help="all, api (no jobs) or worker (jobs only) (EXCERPTA_ROLE, all)"
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen where others can reach it, without API keys: something else checks who asks",
    )
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
