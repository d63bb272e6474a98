"""Trains the n-gram adapter that generative retrieval writes with: a small change to the language model.

The model itself stays as it is. About 40 minutes on one core for the defaults; the adapter, its configuration
and a model card with the scores on held-out questions are written to --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from models import Models, load_profile
from models.networks.ngram_writer import FORMAT, NgramWriter, WriterConfig, save_ngram_writer
from training.data.lists import ListSet, read_split
from training.data.writing import WritingSet
from training.measures.ngrams import measure
from training.options import add_data_options, add_training_options, chosen_recipe
from training.recipes.ngrams.recipe import NgramRecipe
from training.recipes.ngrams.train import train
from training.runs import finish, trained

_HELD = 60
"""Held-out questions of each set."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this recipe."""
    add_data_options(parser)
    add_training_options(parser, NgramRecipe)


def run(options: argparse.Namespace) -> None:
    """Trains, tests and writes the adapter."""
    recipe = chosen_recipe(NgramRecipe, options)
    data = [read_split(given, words=recipe.passage_words, depth=recipe.depth) for given in options.data]
    lm = Models(load_profile(options.profile), options.models).lm
    texts = (f"{one.question} {one.right}" for part in data for one in part.asked)
    sets = [WritingSet(one, lm, spans=recipe.spans, length=recipe.length) for one in data]
    deltas, loop = trained(options, recipe, lm, texts, lambda loop: train(lm, sets, recipe, loop))
    config = WriterConfig(FORMAT, lm.name, int(lm.model.config.hidden_size), recipe.rank, recipe.alpha)
    save_ngram_writer(options.out, config, deltas)
    held = [read_split(given, words=recipe.passage_words, depth=recipe.depth) for given in options.held]
    writers = {"untrained": NgramWriter(lm, examples=True), "trained": NgramWriter.load(lm, options.out)}
    rows = list(_scores(writers, held))
    facts = {
        "base": lm.name,
        "questions": f"{sum(len(part.asked) for part in data):,}",
        "data": " ".join(f"--data DATA/{Path(given).name}" for given in options.data),
        "held": " ".join(f"--held DATA/{Path(given).name}" for given in options.held),
        "name": options.out.name,
        "held_scores": "\n".join(rows),
    }
    finish(options, recipe, loop, facts)
    Console().print("\n".join([*rows, f"written to {options.out}"]))


def _scores(writers: dict[str, NgramWriter], held: list[ListSet]) -> Iterator[str]:
    """The card's table, a row a set and a way to search."""
    yield "| set | passages | questions | n-grams | MRR | hits@5 | hits@20 |"
    yield "|---|---|---|---|---|---|---|"
    for data in held:
        ways = [("the question's own", writers["untrained"], True, 0)]
        for name, writer in writers.items():
            ways += [(name, writer, False, 15), (f"{name}, and the question's own", writer, True, 15)]
        for name, writer, query_keys, beams in ways:
            found = measure(writer, data, questions=_HELD, query_keys=query_keys, beams=beams)
            yield (
                f"| {data.name} | {len(data.passages):,} | {found.questions} | {name} | {found.mrr:.3f} "
                f"| {found.hits_5:.3f} | {found.hits_20:.3f} |"
            )
