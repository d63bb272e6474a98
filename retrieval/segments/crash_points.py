"""Crash points: named places where a test may kill the process, to check the files that a crash leaves."""

from __future__ import annotations

import os
import signal

POINTS = (
    *(f"segment.{step}" for step in ("passages", "indexed", "recorded", "synced", "renamed", "published")),
    *(f"tombstones.{step}" for step in ("written", "synced", "renamed", "published")),
    *(f"manifest.{step}" for step in ("written", "synced", "renamed", "published")),
    "sweep.begun",
    "sweep.removed",
)
"""Every point, in the order a replacement passes them."""

MERGE_POINTS = ("merge.written", "merge.locked", "merge.committed")
"""Points of a merge, in addition to those of a segment and a manifest."""

IMPORT_POINTS = ("import.unpacked", "import.tried", "import.settled", "import.told")
"""Those that an import passes, around a manifest's own; the last is inside the database's transaction."""

JOB_POINTS = ("job.indexed", "job.recorded")
"""Those that a batch of a job passes: after the index has it, and after the database has it."""

_VARIABLE = "EXCERPTA_FAULT"


def crash_point(name: str) -> None:
    """Kills this process, as `kill -9` would, when the environment names this point."""
    if os.environ.get(_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
