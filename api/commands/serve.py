"""`excerpta serve`: the service over HTTP. Nothing heavy is imported before its options are understood."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module

from api.commands.setting import Note, variable
from api.commands.settings_page import help_text
from api.commands.shadowed import refuse_shadows
from api.settings import Settings, notes
from base.errors import ExcerptaError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the server until a signal; returns the exit status."""
    flags = vars(_parser().parse_args(argv))
    log_level = flags.pop("log_level")
    try:
        refuse_shadows()
        settings = Settings.from_env(**flags)
        status: int = import_module("api.commands.serving").serve(settings, log_level)
        return status
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


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
