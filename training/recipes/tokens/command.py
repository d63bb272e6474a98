"""Trains the token encoder of profile `compact`: low-rank changes and a projection to short vectors.

The network itself stays as it is. About an hour on two cores for the defaults, ten minutes with
--epochs 0. The adapter, its configuration and a model card are written to --out. Scores come from
`python -m benchmarks quality`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from models.networks.colbert import PUNCTUATION, Reading
from models.networks.text_network import TextNetwork
from models.networks.token_adapter import FORMAT, TokenAdapterConfig, save_token_adapter
from training.data.contrastive import read_training_set
from training.options import add_training_options, chosen_recipe
from training.recipes.tokens.recipe import TokensRecipe
from training.recipes.tokens.train import train
from training.runs import base_encoder, finish, trained


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this recipe."""
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
    add_training_options(parser, TokensRecipe)


def run(options: argparse.Namespace) -> None:
    """Trains and writes the adapter."""
    recipe = chosen_recipe(TokensRecipe, options)
    data = read_training_set([_source(given) for given in options.data])
    base = base_encoder(options)
    config = _config(options, recipe, base)
    network = base.with_reading(_training(config.reading))
    judged = (f"{question} {sorted(found)}" for question, found in data.relevant.items())
    texts = (*data.texts, *judged, options.query_marker, options.passage_marker)
    result, loop = trained(options, recipe, network, texts, lambda loop: train(network, data, recipe, loop))
    save_token_adapter(options.out, config, result.deltas, result.projection)
    facts = {
        "base": config.base,
        "hidden": config.hidden_size,
        "questions_seen": f"{len(data.relevant):,}",
        "passages_seen": f"{len(data.examples):,}",
        "data": " ".join(f"--data DATA/{Path(source).name}" for source in options.data),
        "name": options.out.name,
    }
    finish(options, recipe, loop, facts)
    Console().print(f"written to {options.out}")


def _config(options: argparse.Namespace, recipe: TokensRecipe, network: TextNetwork) -> TokenAdapterConfig:
    return TokenAdapterConfig(
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


def _training(reading: Reading) -> Reading:
    """Punctuation is left out of the loss, though it has vectors."""
    return replace(reading, skipped=PUNCTUATION)


def _source(given: str) -> tuple[Path, str]:
    directory, _, split = given.rpartition(":")
    if not directory:
        raise SystemExit(f"--data takes DIR:SPLIT, such as DATA/scifact:train, not {given!r}")
    return Path(directory), split
