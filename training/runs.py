"""One training from the command line: threads, progress, checkpoint, and the card beside the weights."""

from __future__ import annotations

import argparse
import hashlib
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from models import Models, load_profile
from models.networks.adapter import WEIGHTS_FILE
from models.networks.text_network import TextNetwork
from training.bar import progress_bar
from training.checkpoint import Checkpoint
from training.loop import Loop
from training.options import Recipe, changed_options

T = TypeVar("T")
_CARDS = Path(__file__).parent / "cards"
_POINTS = 10


class Fingerprinted(Protocol):
    """A network that knows its identity."""

    @property
    def fingerprint(self) -> str:
        """The same for the same weights and settings."""
        ...


def base_encoder(options: argparse.Namespace) -> TextNetwork:
    """The profile's encoder in float32, without its adapter."""
    profile = load_profile(options.profile)
    spec = replace(profile.encoder, dtype="float32", adapter="")
    return Models(replace(profile, encoder=spec), options.models).plain_encoder


def trained(
    options: argparse.Namespace,
    recipe: Recipe,
    network: Fingerprinted,
    texts: Iterable[str],
    train: Callable[[Loop], T],
) -> tuple[T, Loop]:
    """What `train` gives, and the loop that it used; `texts` and the recipe tell checkpoints apart.

    Raises NoCheckpoint, CheckpointMismatch and CheckpointCorrupt.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    identity = asdict(recipe) | {"network": network.fingerprint, "data": _digest(texts)}
    file = options.out.with_name(options.out.name + ".checkpoint")
    checkpoint = Checkpoint(file, identity, options.checkpoint_every)
    with progress_bar() as progress:
        loop = Loop(progress, checkpoint=checkpoint, resume=options.resume)
        result = train(loop)
    return result, loop


def finish(options: argparse.Namespace, recipe: Recipe, loop: Loop, facts: Mapping[str, Any]) -> None:
    """Writes the card of the weights in `--out`, and deletes the checkpoint."""
    card = string.Template((_CARDS / f"{options.recipe}.md").read_text("utf-8")).substitute(
        asdict(recipe),
        steps=loop.steps,
        seconds=round(loop.seconds),
        threads=torch.get_num_threads(),
        size=f"{(options.out / WEIGHTS_FILE).stat().st_size:,}",
        options=changed_options(recipe),
        curve=curve(loop.losses),
        **facts,
    )
    (options.out / "CARD.md").write_text(card, "utf-8")
    options.out.with_name(options.out.name + ".checkpoint").unlink(missing_ok=True)


def curve(losses: Mapping[str, list[float]]) -> str:
    """A table of the mean loss over each tenth of a stage's steps.

    >>> print(curve({"all": [3.0, 2.0, 1.0]}))
    | stage | steps | loss |
    |---|---|---|
    | all | 3 | 3.000, 2.000, 1.000 |
    """
    rows = ["| stage | steps | loss |", "|---|---|---|"]
    for stage, values in losses.items():
        points = min(_POINTS, len(values))
        edges = [len(values) * at // points for at in range(points + 1)]
        means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
        rows.append(f"| {stage} | {len(values)} | {', '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(rows)


def _digest(texts: Iterable[str]) -> str:
    total = hashlib.sha256()
    for text in texts:
        total.update(text.encode() + b"\0")
    return total.hexdigest()[:16]
