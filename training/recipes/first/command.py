"""Trains the listwise adapter that `first` ranks with: a small change to the profile's language model.

The model itself stays as it is. About an hour on one core for the defaults; the adapter, its configuration
and a model card with the scores on held-out lists are written to --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from models import Models, load_profile
from models.networks.language_model import LanguageModel
from models.networks.letter_network import FORMAT, LetterConfig, LetterNetwork, save_letter_network
from rerank.letters import letter_ids, listwise_messages, one_line
from rerank.prompts import listwise_prompt
from training.data.lists import ListSet, read_split
from training.measures.lists import ListScores, Scores, held_lists, measure, together
from training.options import add_data_options, add_training_options, chosen_recipe
from training.recipes.first.recipe import FirstRecipe
from training.recipes.first.train import Trained, train
from training.runs import finish, trained

_HELD, _TURNED = 40, 12
"""Held-out lists of each set and size, and how many of them are ranked in two other orders too."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this recipe."""
    add_data_options(parser)
    add_training_options(parser, FirstRecipe)


def run(options: argparse.Namespace) -> None:
    """Trains, tests and writes the adapter."""
    recipe = chosen_recipe(FirstRecipe, options)
    sets = [_read(given, recipe) for given in options.data]
    lm = Models(load_profile(options.profile), options.models).lm
    texts = (f"{one.question} {one.right} {one.wrong}" for data in sets for one in data.asked)
    result, loop = trained(
        options, recipe, lm, texts, lambda loop: train(lm, listwise_prompt("letters"), sets, recipe, loop)
    )
    _save(options.out, lm, result, recipe)
    rows = _scores(lm, options.out, [_read(given, recipe) for given in options.held])
    facts = {
        "base": lm.name,
        "questions": f"{sum(len(data.asked) for data in sets):,}",
        "data": " ".join(f"--data DATA/{Path(given).name}" for given in options.data),
        "held": " ".join(f"--held DATA/{Path(given).name}" for given in options.held),
        "name": options.out.name,
        "held_scores": "\n".join(rows),
    }
    finish(options, recipe, loop, facts)
    Console().print("\n".join([*rows, f"written to {options.out}"]))


def _save(out: Path, lm: LanguageModel, result: Trained, recipe: FirstRecipe) -> None:
    config = LetterConfig(
        format=FORMAT,
        base=lm.name,
        hidden_size=int(lm.model.config.hidden_size),
        rank=recipe.rank,
        alpha=recipe.alpha,
        prompt="letters",
        passage_words=recipe.passage_words,
        letters=tuple(letter_ids(lm, listwise_prompt("letters"))),
    )
    save_letter_network(out, config, result.deltas, result.letters)


def _scores(lm: LanguageModel, directory: Path, sets: list[ListSet]) -> list[str]:
    """The card's table: held-out lists of 8 and of 20 passages."""
    score = scorer(LetterNetwork.load(lm, directory))
    rows = ["| set | passages | lists | MRR | Kendall's tau of three orders | place that comes first |"]
    rows.append("|---|---|---|---|---|---|")
    for size in (8, 20):
        parts = [measure(score, held_lists([one], _HELD, size, seed=1), turned=_TURNED) for one in sets]
        rows += [_row(one.name, size, part) for one, part in zip(sets, parts, strict=True)]
        if len(parts) > 1:
            rows.append(_row("all", size, together(parts)))
    return rows


def scorer(network: LetterNetwork) -> Scores:
    """The letters' logits of the passages of one list."""
    prompt = listwise_prompt(network.config.prompt)
    letters = letter_ids(network, prompt)

    def score(question: str, texts: Sequence[str]) -> list[float]:
        messages = listwise_messages(prompt, question, [one_line(text) for text in texts])
        ids = network.chat(messages, assistant_prefix=prompt.answer)
        return [float(value) for value in network.next_logits(ids, letters[: len(texts)])]

    return score


def _row(name: str, size: int, found: ListScores) -> str:
    first = " ".join(map(str, found.first))
    return f"| {name} | {size} | {found.lists} | {found.mrr:.3f} | {found.tau:.2f} | {first} |"


def _read(given: str, recipe: FirstRecipe) -> ListSet:
    return read_split(given, words=recipe.passage_words, depth=recipe.depth)
