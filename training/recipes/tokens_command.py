"""Trains the token encoder of profile `compact`: low-rank changes and a projection to short vectors.

The network itself stays as it is. About an hour on two cores for the defaults, ten minutes with
--epochs 0; the adapter, its
configuration and a model card are written to --out. Scores come from `python -m benchmarks quality`.
"""

from __future__ import annotations

import argparse
import string
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console

from models import Models, load_profile
from models.networks.adapter import WEIGHTS_FILE
from models.networks.colbert import PUNCTUATION, Reading
from models.networks.token_adapter import FORMAT, TokenAdapterConfig, save_token_adapter
from training.commands import add_training_options, changed_options, chosen_recipe, with_bar
from training.data.contrastive import TrainingSet, read_training_set
from training.recipes.tokens import Recipe, train

_CARD = Path(__file__).parents[1] / "cards" / "tokens.md"
_HELP = {
    "epochs": "times every passage with a question is seen",
    "dim": "length of the vectors",
    "rank": "rank of the changes; the file grows with it",
    "alpha": "changes are scaled by alpha / rank",
    "learning_rate": "highest learning rate, reached after the warm-up",
    "warmup": "share of the steps until the highest learning rate",
    "passages": "passages with questions in a batch; about as many without are added",
    "questions": "most questions of a passage in a batch",
    "window": "tokens of a passage that are read",
    "depth": "BM25 ranks from which the wrong passages come",
    "k": "tokens that a query token retrieves from a batch, in XTR's part of the loss",
    "temperature": "scores are divided by it before the softmax",
    "masked_share": "XTR's part of the loss; the rest is MaxSim's",
    "teacher_share": "how far the untrained network's scores are followed",
    "projection_steps": "steps in which only the projection is trained, first",
    "projection_rate": "their highest learning rate",
    "projection_teacher_share": "how far they follow the untrained network's scores",
    "kept": "share of the later changes that stays in the weights",
    "seed": "decides start, order and wrong passages",
}


def main() -> None:
    """Trains and writes the adapter."""
    options = _parser().parse_args()
    recipe = chosen_recipe(Recipe, options)
    if options.threads:
        torch.set_num_threads(options.threads)
    data = read_training_set([_source(given) for given in options.data])
    profile = load_profile(options.profile)
    spec = replace(profile.encoder, dtype="float32", adapter="")
    network = Models(replace(profile, encoder=spec), options.models).encoder
    config = TokenAdapterConfig(
        format=FORMAT,
        base=network.name,
        hidden_size=network.hidden_size,
        dim=recipe.dim,
        rank=recipe.rank,
        alpha=recipe.alpha,
        skips_punctuation=False,
        query_marker=options.query_marker,
        passage_marker=options.passage_marker,
    )
    started = time.monotonic()
    trained, steps = with_bar(
        lambda progress: train(network.with_reading(_training(config.reading)), data, recipe, progress)
    )
    seconds = round(time.monotonic() - started)
    save_token_adapter(options.out, config, trained.deltas, trained.projection)
    card = _card(options.out, config, recipe, data, steps=steps, seconds=seconds, sources=options.data)
    (options.out / "CARD.md").write_text(card, "utf-8")
    Console().print(f"written to {options.out}")


def _training(reading: Reading) -> Reading:
    """Punctuation is left out of the loss, though it has vectors."""
    return replace(reading, skipped=PUNCTUATION)


def _source(given: str) -> tuple[Path, str]:
    directory, _, split = given.rpartition(":")
    if not directory:
        raise SystemExit(f"--data takes DIR:SPLIT, such as DATA/scifact:train, not {given!r}")
    return Path(directory), split


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.recipes.tokens_command",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n"
        "  python -m training.recipes.tokens_command --data DATA/scifact:train --out WEIGHTS/tokens-minilm",
    )
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="DIR:SPLIT",
        help="a set in BEIR layout and the qrels to learn from; several are put together",
    )
    for role in ("query", "passage"):
        parser.add_argument(
            f"--{role}-marker",
            default="",
            metavar="TOKEN",
            help=f"token of the vocabulary that is read before a {role}, such as [unused0] (none)",
        )
    add_training_options(parser, Recipe, _HELP)
    return parser


def _card(
    out: Path,
    config: TokenAdapterConfig,
    recipe: Recipe,
    data: TrainingSet,
    *,
    steps: int,
    seconds: int,
    sources: list[str],
) -> str:
    """The model card: everything needed to judge the weights and to make them again."""
    size = (out / WEIGHTS_FILE).stat().st_size
    command = " ".join(f"--data DATA/{Path(source).name}" for source in sources)
    return string.Template(_CARD.read_text("utf-8")).substitute(
        asdict(recipe),
        base=config.base,
        hidden=config.hidden_size,
        size=f"{size:,}",
        questions_seen=f"{len(data.relevant):,}",
        passages_seen=f"{len(data.examples):,}",
        steps=steps,
        seconds=seconds,
        threads=torch.get_num_threads(),
        command=f"python -m training.recipes.tokens_command {command} --out models/weights/{out.name}"
        + changed_options(recipe),
    )


if __name__ == "__main__":
    main()
