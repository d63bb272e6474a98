"""What commands on a data directory share: their options, the settings, and how errors are shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from api.db import UNAVAILABLE
from api.settings import Settings
from base.errors import ExcerptaError


def run_on_data(options: argparse.Namespace, work: Callable[[Settings], str]) -> int:
    """Runs `work` with the settings that the options name, and prints what it returns; the exit status."""
    try:
        settings = Settings.from_env(
            data_dir=options.data,
            profile=getattr(options, "profile", None),
            device=getattr(options, "device", None),
        )
        said = work(settings)
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except UNAVAILABLE as error:
        cause = getattr(error, "orig", None) or error
        sys.stderr.write(f"error: the database or a file cannot be used: {cause}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing of it is left\n")
        return 130
    sys.stdout.write(said + "\n")
    return 0


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names the data directory."""
    parser.add_argument(
        "--data",
        type=Path,
        help="the service's data directory (EXCERPTA_DATA, ./data); "
        "its database is in there, or at EXCERPTA_DATABASE_URL",
    )


def positive(text: str) -> int:
    """The `type` of an option that counts something. Raises ArgumentTypeError below 1.

    >>> positive("3")
    3
    """
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
