"""A progress bar for a job, drawn by rich where it is installed."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from .types import JobReply

_LINES = 20  # at least so many where there is no terminal
_LONG = 100_000  # characters of a file that is named


class ProgressBar:
    """Shows how far a job is; plain lines on standard error where rich is missing or no terminal is there."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._task: Any = None
        self._last: object = None

    def __enter__(self) -> ProgressBar:
        if self._shown:
            try:
                from rich.console import Console
                from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
            except ImportError:
                return self
            console = Console(stderr=True)
            if console.is_terminal:
                self._bar = Progress(
                    TextColumn("{task.description}", markup=False),
                    BarColumn(),
                    TextColumn("{task.percentage:>3.0f}%"),
                    TextColumn("{task.fields[told]}", markup=False),
                    TimeRemainingColumn(),
                    console=console,
                )
                self._bar.start()
                self._task = self._bar.add_task("indexing", total=None, told="")
        return self

    def update(self, job: JobReply) -> None:
        """Draws the job's state."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=f"{job.collection}: {job.state}",
                completed=job.progress.fraction,
                total=1.0,
                told=_told(job),
            )
        elif self._shown:
            step = job.state, job.done, int(job.progress.fraction * _LINES)
            if step != self._last:
                self._last = step
                percent = f"{100 * job.progress.fraction:.0f}%"
                sys.stderr.write(f"{job.collection}: {job.state}, {percent}, {_told(job)}\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _told(job: JobReply) -> str:
    """Files or documents done, passages, and the place in a long file."""
    now = job.progress
    if now.files_total is not None:
        told = f"{now.files}/{now.files_total} files"
    else:
        told = f"{job.done}/{'?' if job.total is None else job.total} documents"
    told = f"{told}, {job.passages} passages"
    place = now.place
    if place is None:
        return told
    if place.unit == "page":
        return f"{told}, page {place.done} of {place.total} of {place.file}"
    return f"{told}, in {place.file}" if place.total >= _LONG else told
