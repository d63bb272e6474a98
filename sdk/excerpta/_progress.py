"""A progress bar for a job, drawn by rich where it is installed."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from .types import JobReply


class JobProgress:
    """Shows how far a job is; plain lines on standard error where rich is missing or no terminal is there."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._task: Any = None
        self._last = -1

    def __enter__(self) -> JobProgress:
        if self._shown:
            try:
                from rich.console import Console
                from rich.progress import (
                    BarColumn,
                    MofNCompleteColumn,
                    Progress,
                    TextColumn,
                    TimeRemainingColumn,
                )
            except ImportError:
                return self
            console = Console(stderr=True)
            if console.is_terminal:
                self._bar = Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TextColumn("{task.fields[passages]} passages"),
                    TimeRemainingColumn(),
                    console=console,
                )
                self._bar.start()
                self._task = self._bar.add_task("indexing", total=None, passages=0)
        return self

    def update(self, job: JobReply) -> None:
        """Draws the job's state."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=f"{job.collection}: {job.state}",
                completed=job.done,
                total=job.total,
                passages=job.passages,
            )
        elif self._shown and job.done != self._last:
            self._last = job.done
            total = "?" if job.total is None else job.total
            sys.stderr.write(
                f"{job.collection}: {job.state}, {job.done}/{total} documents, {job.passages} passages\n"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
