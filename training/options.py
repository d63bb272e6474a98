"""Command-line options from a recipe's fields: a recipe is a dataclass whose fields say what they mean."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R", bound="Recipe")
_MEANING = "meaning"


def option(default: T, meaning: str) -> T:
    """A field of a recipe, with the help of its option."""
    return field(default=default, metadata={_MEANING: meaning})


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every recipe has: the shape of the low-rank changes, the warm-up and the seed."""

    rank: int = option(16, "rank of the changes; the file grows with it")
    alpha: float = option(32.0, "changes are scaled by alpha / rank")
    warmup: float = option(0.06, "share of the steps until the highest learning rate")
    seed: int = option(0, "decides start, order and choice of examples")


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """The sets to learn from and to be tested on, each with its split."""
    for name, meaning in (("data", "to learn from"), ("held", "to be tested on")):
        parser.add_argument(
            f"--{name}",
            action="append",
            required=name == "data",
            default=[],
            metavar="DIR:SPLIT",
            help=f"a set in BEIR layout and the qrels {meaning}; several are put together",
        )


def add_training_options(parser: argparse.ArgumentParser, recipe: type[Recipe]) -> None:
    """Where to write, what to start from, how to go on, and an option for each field of the recipe."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and their card")
    parser.add_argument("--profile", default="small", help="whose encoder is adapted (%(default)s)")
    parser.add_argument(
        "--models", type=Path, default=Path("data"), help="where checksums are kept (%(default)s)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (PyTorch's own number)")
    parser.add_argument(
        "--checkpoint-every",
        type=int,
        default=100,
        metavar="STEPS",
        help="steps after which OUT.checkpoint is replaced, 0 for never (%(default)s)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from OUT.checkpoint, where a run was interrupted"
    )
    for one in fields(recipe):
        meaning = f"{one.metadata[_MEANING]} (%(default)s)"
        parser.add_argument(_flag(one.name), type=type(one.default), default=one.default, help=meaning)


def chosen_recipe(recipe: type[R], options: argparse.Namespace) -> R:
    """The recipe that the command line asks for."""
    return recipe(**{one.name: getattr(options, one.name) for one in fields(recipe)})


def changed_options(recipe: Recipe) -> str:
    """The command-line options that give this recipe, with a space before each.

    >>> changed_options(Recipe(rank=4))
    ' --rank 4'
    """
    usual: dict[str, Any] = asdict(type(recipe)())
    return "".join(
        f" {_flag(name)} {value}" for name, value in asdict(recipe).items() if value != usual[name]
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
