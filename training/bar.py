"""A progress bar over the steps of a training, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.loop import Progress as Report

_LINE_EVERY = 20


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Gives the call that shows steps done, steps in all and the smoothed loss; lines without a terminal."""
    columns = (
        TextColumn("loss {task.fields[loss]:.3f}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("train", loss=float("nan"), total=None)
        smooth: float | None = None

        def report(done: int, total: int, loss: float) -> None:
            nonlocal smooth
            smooth = loss if smooth is None else 0.95 * smooth + 0.05 * loss
            bar.update(task, completed=done, total=total, loss=smooth)
            if not bar.console.is_terminal and (done % _LINE_EVERY == 0 or done == total):
                bar.console.print(f"step {done} of {total}, loss {smooth:.3f}")

        yield report
