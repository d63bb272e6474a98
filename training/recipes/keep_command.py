"""Trains the keep classifier that `compress` uses: a small adapter for the profile's encoder.

The encoder itself stays as it is. About 10 minutes on two cores for the defaults; the adapter, its
configuration and a model card with the scores on the test sentences are written to --out.
"""

from __future__ import annotations

import argparse
import string
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from models.device import dtype_name
from models.networks.adapter import WEIGHTS_FILE
from models.networks.text_network import TextNetwork
from models.networks.token_classifier import ADAPTER_FORMAT, AdapterConfig, TokenClassifier, save_adapter
from models.profile import load_profile
from models.registry import Models
from training.commands import add_training_options, changed_options, chosen_recipe, with_bar
from training.data.keep_labels import Sentence, read_sentences
from training.measures.keep_scores import KeepScores, f1
from training.recipes.keep import Recipe, Trained, evaluate, train

_CARD = Path(__file__).parents[1] / "cards" / "keep.md"
_HELP = {
    "epochs": "times every sentence is seen",
    "rank": "rank of the changes; the file grows with it",
    "alpha": "changes are scaled by alpha / rank",
    "dropout": "share of a change's inputs dropped while training",
    "learning_rate": "highest learning rate, reached after the warm-up",
    "warmup": "share of the steps until the highest learning rate",
    "batch_tokens": "tokens in a batch, padding counted",
    "largest": "most sentences joined to one text",
    "window": "longest text in tokens; longer ones are cut here, and read in windows later",
    "seed": "decides start, order and grouping",
}


def main() -> None:
    """Trains, tests and writes the adapter."""
    options = _parser().parse_args()
    recipe = chosen_recipe(Recipe, options)
    if options.threads:
        torch.set_num_threads(options.threads)
    sentences = read_sentences(options.data / "google-train.jsonl")
    tested = read_sentences(options.data / "google-test.jsonl")
    profile = load_profile(options.profile)
    profile = replace(profile, encoder=replace(profile.encoder, dtype="float32"))
    network = Models(profile, options.models).plain_encoder

    started = time.monotonic()
    trained, steps = with_bar(lambda progress: train(network, sentences, recipe, progress))
    seconds = time.monotonic() - started
    _save(options.out, network, trained, recipe)
    scores = evaluate(TokenClassifier.load(network, options.out), tested)
    facts = {
        "steps": steps,
        "seconds": round(seconds),
        "threads": torch.get_num_threads(),
        "parameters": sum(
            weight.numel() for weight in (*trained.deltas.values(), *trained.head.parameters())
        ),
    }
    card = _card(options.out, network, recipe, scores, sentences, tested, facts)
    (options.out / "CARD.md").write_text(card, "utf-8")
    Console().print(f"F1 {scores.f1:.3f}, AUC {scores.auc:.3f}; written to {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.recipes.keep_command",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  python -m training.recipes.keep_command --data DATA/sentcomp --out WEIGHTS",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with google-train.jsonl and google-test.jsonl"
    )
    add_training_options(parser, Recipe, _HELP)
    return parser


def _save(out: Path, network: TextNetwork, trained: Trained, recipe: Recipe) -> None:
    config = AdapterConfig(
        format=ADAPTER_FORMAT,
        base=network.name,
        hidden_size=network.hidden_size,
        rank=recipe.rank,
        alpha=recipe.alpha,
        window=recipe.window,
    )
    save_adapter(out, config, trained.deltas, trained.head)


def _card(
    out: Path,
    network: TextNetwork,
    recipe: Recipe,
    scores: KeepScores,
    sentences: list[Sentence],
    tested: list[Sentence],
    facts: dict[str, int],
) -> str:
    """The model card: everything needed to judge the weights and to make them again."""
    labels = np.array([label for sentence in tested for label in sentence.keep])
    size = (out / WEIGHTS_FILE).stat().st_size
    return string.Template(_CARD.read_text("utf-8")).substitute(
        asdict(recipe),
        **facts,
        **{name: f"{value:.3f}" for name, value in asdict(scores).items()},
        base=network.name,
        hidden=network.hidden_size,
        network_dtype=dtype_name(network.dtype),
        size=f"{size:,}",
        sentences=f"{len(sentences):,}",
        tested=f"{len(tested):,}",
        f1_all=f"{f1(labels, np.ones(len(labels), dtype=bool)):.3f}",
        options=changed_options(recipe),
    )


if __name__ == "__main__":
    main()
