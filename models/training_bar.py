"""A progress bar over the steps of a training; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
_LINE_EVERY = 20


def with_bar(train: Callable[[Callable[[int, int, float], None]], T]) -> tuple[T, int]:
    """What `train` returns, and its steps; it tells its argument steps done, steps in all, and the loss."""
    columns = (
        TextColumn("loss {task.fields[loss]:.3f}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("train", loss=float("nan"), total=None)
        smooth, steps = 0.0, 0

        def progress(done: int, total: int, loss: float) -> None:
            nonlocal smooth, steps
            smooth, steps = loss if done == 1 else 0.95 * smooth + 0.05 * loss, total
            bar.update(task, completed=done, total=total, loss=smooth)
            if not bar.console.is_terminal and (done % _LINE_EVERY == 0 or done == total):
                bar.console.print(f"step {done} of {total}, loss {smooth:.3f}")

        trained = train(progress)
    return trained, steps
