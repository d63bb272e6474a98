"""The command line: `excerpta --help`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line. Without its libraries, prints how to install them."""
    try:
        from .commands import group
    except ImportError as error:
        if (error.name or "").split(".")[0] not in {"click", "rich", "rich_click"}:
            raise
        sys.exit("the command line needs two more libraries: pip install 'excerpta[cli]'")
    group()
