"""Where housekeeping puts files that no row of the database names: kept for days, with a warning in the log.

trash/<seconds since 1970>-<kind>-<name>
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

import structlog

_log = structlog.get_logger("excerpta.trash")
_DAY_S = 86_400.0


class Trash:
    """The trash of one data directory; `days` is how long it keeps things."""

    def __init__(self, root: Path, days: float) -> None:
        self._root = root
        self._days = days

    def take(self, path: Path, kind: str) -> Path | None:
        """Moves a directory here; where it is now, or None if somebody else took it away just now."""
        self._root.mkdir(parents=True, exist_ok=True)
        place = self._root / f"{int(time.time())}-{kind}-{path.name}"
        try:
            path.rename(place)
        except FileNotFoundError:
            return None
        _log.warning(
            "trash.unknown-to-the-database", kind=kind, path=str(path), now=str(place), kept_days=self._days
        )
        return place

    def empty(self) -> None:
        """Removes for good what has been here for longer than `days`."""
        for path in self._root.glob("*-*-*"):
            with suppress(ValueError):
                if int(path.name.partition("-")[0]) + self._days * _DAY_S < time.time():
                    _log.warning("trash.removed", path=str(path))
                    shutil.rmtree(path, ignore_errors=True)
