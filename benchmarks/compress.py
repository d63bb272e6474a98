"""Measures what survives: `python -m benchmarks.compress --data DATA/squad2-dev` prints a table.

For each question the passage that answers it is put among others of the same collection, all are
shortened together, and the answer counts as retained when one of its wordings still stands in the
passage's shortened text, character by character.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from excerpta.types.compress import CompressMethod
from rich.console import Console
from rich.table import Table

from base.text.words import words
from compress import CATALOGUE, AnyScorer, ScoredWords, counter, shorten
from compress.base import CountTokens
from evaluation.beir import judgments, rows, split_file
from models.profile import load_profile
from models.registry import Models


@dataclass(frozen=True, slots=True)
class Case:
    """One question with its texts, one of which holds one of the answers."""

    query: str
    texts: tuple[str, ...]
    answers: tuple[str, ...]
    gold: int


class RandomScorer:
    """Keeps random words: what any scorer must beat."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def score(
        self, query: str, texts: Sequence[str], options: CompressMethod, *, rate: float
    ) -> list[ScoredWords]:
        """Scores drawn from the seed."""
        rng = np.random.default_rng(self._seed)
        spans = [words(text) for text in texts]
        nothing = [np.zeros(len(span), dtype=bool) for span in spans]
        return [
            ScoredWords(span, rng.random(len(span)), none, none)
            for span, none in zip(spans, nothing, strict=True)
        ]


def retention(
    scorer: AnyScorer,
    options: CompressMethod,
    cases: Sequence[Case],
    count_tokens: CountTokens,
    rate: float,
) -> tuple[float, float, float]:
    """Share of cases with a surviving answer, share of tokens kept, and CPU milliseconds a case."""
    survived, before, after = 0, 0, 0
    started = time.process_time()
    for case in cases:
        budget = int(rate * sum(count_tokens(case.texts)))
        found = shorten(scorer, case.query, case.texts, options, count_tokens, target_tokens=budget)
        survived += any(answer in found[case.gold].text for answer in case.answers)
        before += sum(item.tokens_before for item in found)
        after += sum(item.tokens_after for item in found)
    spent = 1000 * (time.process_time() - started)
    return survived / len(cases), after / max(before, 1), spent / len(cases)


def read_cases(data: Path, split: str, count: int, texts: int, seed: int) -> list[Case]:
    """A seeded sample of questions of a BEIR folder with answers, each among `texts - 1` other passages.

    The others are passages of the same title as far as there are enough: what a search would return.
    """
    rng = random.Random(seed)
    corpus = {row["_id"]: row for row in rows(data / "corpus.jsonl")}
    queries = {row["_id"]: row for row in rows(data / "queries.jsonl")}
    judged = judgments(split_file(data, split)).items()
    pairs = [(question, passage) for question, passages in judged for passage in passages]
    cases: list[Case] = []
    for question, passage in rng.sample(pairs, len(pairs)):
        gold, query = corpus[passage], queries[question]
        answers = query.get("answers", ())
        if len(cases) == count or not any(answer in gold["text"] for answer in answers):
            continue
        others = rng.sample([other for other in corpus.values() if other["_id"] != passage], len(corpus) - 1)
        others.sort(key=lambda other: other.get("title", "") != gold.get("title", ""))
        shown = [other["text"] for other in others[: texts - 1]]
        place = rng.randrange(texts)
        shown.insert(place, gold["text"])
        cases.append(Case(query["text"], tuple(shown), tuple(answers), place))
    return cases


def main() -> None:
    """Prints retention, rate and CPU time of each method at each rate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compress", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="a folder in BEIR layout whose queries have answers"
    )
    parser.add_argument(
        "--split", default="eval_half", help="which qrels to draw questions from (%(default)s)"
    )
    parser.add_argument("--questions", type=int, default=60, help="how many questions (%(default)s)")
    parser.add_argument("--texts", type=int, default=5, help="passages shortened together (%(default)s)")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[0.33, 0.5], help="shares of tokens to keep"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides the questions and their order (%(default)s)"
    )
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data"), help="where converted weights are kept")
    options = parser.parse_args()

    models = Models(load_profile(options.profile), options.models)
    cases = read_cases(options.data, options.split, options.questions, options.texts, options.seed)

    count_tokens = counter(models)
    table = Table("method", "rate", "retention", "tokens kept", "CPU ms a question")
    scorers: dict[str, tuple[AnyScorer, CompressMethod]] = {
        "random": (RandomScorer(options.seed), CATALOGUE.resolve({}))
    }
    for name, method in CATALOGUE.items():
        if method.needs <= set(models.profile.roles()):
            scorers[name] = (method.make(models), CATALOGUE.resolve({"method": name}))
    for rate in options.rates:
        for name, (scorer, chosen) in scorers.items():
            share, kept, spent = retention(scorer, chosen, cases, count_tokens, rate)
            table.add_row(name, f"{rate:.2f}", f"{share:.2f}", f"{kept:.3f}", f"{spent:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
