"""A file of the docs that a command writes, or checks to be up to date."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(file: Path, rendered: Callable[[], str], command: str, arguments: Sequence[str]) -> int:
    """Writes what `rendered` gives to `file`; with `--check` only compares. Returns the exit status.

    0: written, or up to date. 1: out of date. 2: other arguments. `command` is the module to run.
    """
    if list(arguments) == ["--check"]:
        if not file.is_file() or file.read_text("utf-8") != rendered():
            sys.stderr.write(f"{file} is stale: run python -m {command}\n")
            return 1
    elif arguments:
        sys.stderr.write(f"usage: python -m {command} [--check]\n")
        return 2
    else:
        file.parent.mkdir(exist_ok=True)
        file.write_text(rendered(), "utf-8")
    return 0
