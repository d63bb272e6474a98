"""Trains the keep classifier that `compress` uses: a small adapter for the profile's encoder.

The encoder itself stays as it is. About 10 minutes on two cores for the defaults; the adapter, its
configuration and a model card with the scores on the test sentences are written to --out.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console

from models.device import dtype_name
from models.networks.text_network import TextNetwork
from models.networks.token_classifier import ADAPTER_FORMAT, AdapterConfig, TokenClassifier, save_adapter
from training.data.keep_labels import Sentence, read_sentences
from training.measures.keep_scores import KeepScores, f1
from training.options import add_training_options, chosen_recipe
from training.recipes.keep.evaluate import evaluate
from training.recipes.keep.recipe import KeepRecipe
from training.recipes.keep.train import Trained, train
from training.runs import base_encoder, finish, trained


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this recipe."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with google-train.jsonl and google-test.jsonl"
    )
    add_training_options(parser, KeepRecipe)


def run(options: argparse.Namespace) -> None:
    """Trains, tests and writes the adapter."""
    recipe = chosen_recipe(KeepRecipe, options)
    sentences = read_sentences(options.data / "google-train.jsonl")
    tested = read_sentences(options.data / "google-test.jsonl")
    network = base_encoder(options)
    texts = (" ".join((*one.tokens, *map(str, one.keep))) for one in sentences)
    result, loop = trained(
        options, recipe, network, texts, lambda loop: train(network, sentences, recipe, loop)
    )
    _save(options.out, network, result, recipe)
    scores = evaluate(TokenClassifier.load(network, options.out), tested)
    facts = _facts(network, result, scores, sentences, tested)
    finish(options, recipe, loop, facts)
    Console().print(f"F1 {scores.f1:.3f}, AUC {scores.auc:.3f}; written to {options.out}")


def _save(out: Path, network: TextNetwork, result: Trained, recipe: KeepRecipe) -> None:
    config = AdapterConfig(
        format=ADAPTER_FORMAT,
        base=network.name,
        hidden_size=network.hidden_size,
        rank=recipe.rank,
        alpha=recipe.alpha,
        window=recipe.window,
    )
    save_adapter(out, config, result.deltas, result.head)


def _facts(
    network: TextNetwork,
    result: Trained,
    scores: KeepScores,
    sentences: list[Sentence],
    tested: list[Sentence],
) -> dict[str, object]:
    """What the card says beside the recipe: the base, the data and the scores."""
    labels = np.array([label for sentence in tested for label in sentence.keep])
    weights = (*result.deltas.values(), *result.head.parameters())
    return {
        **{name: f"{value:.3f}" for name, value in asdict(scores).items()},
        "base": network.name,
        "hidden": network.hidden_size,
        "network_dtype": dtype_name(network.dtype),
        "parameters": sum(weight.numel() for weight in weights),
        "sentences": f"{len(sentences):,}",
        "tested": f"{len(tested):,}",
        "f1_all": f"{f1(labels, np.ones(len(labels), dtype=bool)):.3f}",
    }
