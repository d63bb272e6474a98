"""Shared by training commands: options from a recipe's fields, and a progress bar over the steps."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
_LINE_EVERY = 20


def add_training_options(
    parser: argparse.ArgumentParser, recipe: type[Any], meanings: Mapping[str, str]
) -> None:
    """Where to write, what to start from, and an option for each field of the recipe, a dataclass."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and their card")
    parser.add_argument("--profile", default="small", help="whose encoder is adapted (%(default)s)")
    parser.add_argument(
        "--models", type=Path, default=Path("data"), help="where checksums are kept (%(default)s)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (PyTorch's own number)")
    for name, default in asdict(recipe()).items():
        meaning = f"{meanings[name]} (%(default)s)"
        parser.add_argument(_flag(name), type=type(default), default=default, help=meaning)


def chosen_recipe(recipe: type[T], options: argparse.Namespace) -> T:
    """The recipe that the command line asks for."""
    return recipe(**{field.name: getattr(options, field.name) for field in fields(recipe)})  # type: ignore[arg-type]


def changed_options(recipe: Any) -> str:
    """The command-line options that give this recipe, with a space before each."""
    usual = asdict(type(recipe)())
    return "".join(
        f" {_flag(name)} {value}" for name, value in asdict(recipe).items() if value != usual[name]
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


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
