"""`excerpta serve`: the service over HTTP, with an orderly shutdown."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn
from litestar import Litestar

from api.access.first_key import banner, known_keys
from api.app import create_app
from api.commands.setting import Note, variable
from api.commands.settings_page import help_text
from api.commands.shadowed import refuse_shadows
from api.settings import Settings, notes
from api.telemetry.metrics import configure_logging
from base.errors import ExcerptaError
from retrieval.tokens import check_faiss


class Server(uvicorn.Server):
    """uvicorn, which notifies open streams of a shutdown, so that they can send a last event."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends streams and waits for requests; a second one ends at once."""
        app = self.config.app
        if isinstance(app, Litestar) and (service := app.state.get("service")) is not None:
            service.closing.set()
        super().handle_exit(sig, frame)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the server until a signal; returns the exit status."""
    flags = vars(_parser().parse_args(argv))
    log_level = flags.pop("log_level")
    try:
        refuse_shadows()
        check_faiss()
        settings = Settings.from_env(**flags)
        keys = known_keys(settings, lambda key: _show(banner(key, settings)))
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
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


def _parser() -> argparse.ArgumentParser:
    width = min(110, shutil.get_terminal_size((100, 24)).columns)
    parser = argparse.ArgumentParser(
        prog="excerpta serve",
        description="Runs the server until a signal. Each setting is an environment variable; some have a\n"
        "flag too, which wins. All settings are listed below the flags.",
        epilog=help_text(width),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, note in notes().items():
        if note.flag:
            _add(parser, name, note)
    parser.add_argument(
        "--log-level",
        default="info",
        choices=["debug", "info", "warning", "error"],
        help="least severe messages that are logged (info)",
    )
    return parser


def _add(parser: argparse.ArgumentParser, name: str, note: Note) -> None:
    """Adds the flag of one setting; without it, the setting comes from the environment."""
    kind = type(getattr(Settings(), name))
    text = f"{note.text.partition('. ')[0].rstrip('.')} ({variable(name)})"
    if kind is bool:
        parser.add_argument(note.flag, dest=name, action="store_const", const=True, help=text)
        return
    parser.add_argument(note.flag, dest=name, type=kind, choices=note.choices or None, help=text)


if __name__ == "__main__":
    sys.exit(main())
