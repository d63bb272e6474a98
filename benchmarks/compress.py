"""How much of the answers, and of the words that people kept, survives compression; and its speed.

In a set of questions, the passage that answers a question is put among others of the same title. All are
shortened together. `retention` is the share of questions with one of their answers left, character by
character, in the passage's shortened text. In a set of labelled sentences (`google-test.jsonl`), each
sentence is shortened alone. `f1` is that of its kept words against the labels.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from base.text.words import words
from benchmarks.report import Report
from compress import CATALOGUE, AnyScorer, Compressed, ScoredWords, counter, shorten
from compress.base import CountTokens
from evaluation.beir import judgments, rows, split_file
from models import Models, load_profile
from training.data.keep_labels import LabelledText, join, read_sentences

RANDOM = "random"
RATES = (0.33, 0.5)
LABELS = "google-test.jsonl"
Compress = Callable[[str, Sequence[str]], list[Compressed]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its texts, one of which holds one of the answers."""

    query: str
    texts: tuple[str, ...]
    answers: tuple[str, ...]
    gold: int


class RandomScorer:
    """Keeps random words: the baseline of every scorer."""

    def __init__(self, seed: int) -> None:
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


@dataclass(slots=True)
class Meter:
    """Runs one case and adds up its tokens and its CPU time."""

    scorer: AnyScorer
    options: CompressMethod
    count_tokens: CountTokens
    rate: float
    before: int = 0
    after: int = 0
    cpu_s: float = 0.0

    def compress(self, query: str, texts: Sequence[str]) -> list[Compressed]:
        """Shortens the texts to the case's share of their tokens."""
        target = int(self.rate * sum(self.count_tokens(texts)))
        started = time.process_time()
        found = shorten(self.scorer, query, texts, self.options, self.count_tokens, target_tokens=target)
        self.cpu_s += time.process_time() - started
        self.before += sum(one.tokens_before for one in found)
        self.after += sum(one.tokens_after for one in found)
        return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--texts", type=int, default=5, help="passages shortened together (%(default)s)")
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data"), help="where converted weights are kept")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds retention or F1, the share of tokens kept and the tokens a CPU second of each case."""
    models = Models(load_profile(options.profile), options.models)
    asked = options.cases.split(",") if options.cases else list(default_cases(models.profile.roles()))
    cases = [case_of(name) for name in asked]
    for folder in options.data:
        metric, measure = measure_of(folder, options)
        for method, rate in cases:
            meter = Meter(*scorer_of(method, models, options.seed), counter(models), rate)
            case = f"{method}@{rate:g}"
            report.add(folder.name, case, metric, measure(meter.compress))
            report.add(folder.name, case, "kept", meter.after / max(meter.before, 1))
            report.add(folder.name, case, "tokens_per_cpu_s", meter.before / meter.cpu_s, "tokens/s")


def default_cases(available: Collection[str]) -> Iterator[str]:
    """Every method that the profile has the networks for, and the baseline, at every rate."""
    methods = [name for name, method in CATALOGUE.items() if method.needs <= set(available)]
    return (f"{name}@{rate:g}" for rate in RATES for name in (*methods, RANDOM))


def case_of(name: str) -> tuple[str, float]:
    """The method and the rate of a case's name.

    >>> case_of("lexical@0.33")
    ('lexical', 0.33)
    """
    method, _, rate = name.partition("@")
    if method not in (*CATALOGUE, RANDOM):
        raise SystemExit(f"no case {name}; it is METHOD@RATE, methods are {', '.join([*CATALOGUE, RANDOM])}")
    try:
        share = float(rate)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise SystemExit(f"no case {name}; its rate is a number from 0 to below 1, as in {method}@0.33")
    return method, share


def scorer_of(method: str, models: Models, seed: int) -> tuple[AnyScorer, CompressMethod]:
    """What scores the words, and its options."""
    if method == RANDOM:
        return RandomScorer(seed), CATALOGUE.resolve({})
    return CATALOGUE[method].make(models), CATALOGUE.resolve({"method": method})


def measure_of(folder: Path, options: argparse.Namespace) -> tuple[str, Callable[[Compress], float]]:
    """The metric that a set is for, and how it is measured."""
    if (folder / LABELS).is_file():
        texts = labelled(folder, options.queries or 300, options.seed)
        return "f1", lambda compress: keep_f1(compress, texts)
    questions = read_questions(
        folder, options.split, options.queries or 60, texts=options.texts, seed=options.seed
    )
    return "retention", lambda compress: retention(compress, questions)


def retention(compress: Compress, questions: Sequence[Question]) -> float:
    """The share of questions with an answer left in the shortened text."""
    survived = 0
    for one in questions:
        shortened = compress(one.query, one.texts)[one.gold].text
        survived += any(answer in shortened for answer in one.answers)
    return survived / max(len(questions), 1)


def keep_f1(compress: Compress, texts: Sequence[LabelledText]) -> float:
    """F1 of the kept words against the labels, over the words of all texts."""
    hits = kept = wanted = 0
    for one in texts:
        (found,) = compress("", [one.text])
        stays = inside(one.spans, found.kept)
        hits += int((stays & (one.keep == 1)).sum())
        kept += int(stays.sum())
        wanted += int(one.keep.sum())
    return 2 * hits / max(kept + wanted, 1)


def inside(spans: NDArray[np.int32], kept: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which spans (n, 2) lie within one of the kept spans."""
    return np.array([any(a <= start and end <= b for a, b in kept) for start, end in spans], dtype=bool)


def labelled(folder: Path, count: int, seed: int) -> list[LabelledText]:
    """A seeded sample of labelled sentences, each a text."""
    sentences = read_sentences(folder / LABELS)
    return [join([one]) for one in random.Random(seed).sample(sentences, min(count, len(sentences)))]


def read_questions(data: Path, split: str | None, count: int, *, texts: int, seed: int) -> list[Question]:
    """A seeded sample of questions of a BEIR folder with answers, each among `texts - 1` other passages.

    The others are passages of the same title as far as there are enough: what a search would return.
    """
    rng = random.Random(seed)
    corpus = {row["_id"]: row for row in rows(data / "corpus.jsonl")}
    queries = {row["_id"]: row for row in rows(data / "queries.jsonl")}
    judged = judgments(split_file(data, split)).items()
    pairs = [(question, passage) for question, passages in judged for passage in passages]
    found: list[Question] = []
    for question, passage in rng.sample(pairs, len(pairs)):
        gold, query = corpus[passage], queries[question]
        answers = query.get("answers", ())
        if len(found) == count or not any(answer in gold["text"] for answer in answers):
            continue
        others = rng.sample([other for other in corpus.values() if other["_id"] != passage], len(corpus) - 1)
        others.sort(key=lambda other: other.get("title", "") != gold.get("title", ""))
        shown = [other["text"] for other in others[: texts - 1]]
        place = rng.randrange(texts)
        shown.insert(place, gold["text"])
        found.append(Question(query["text"], tuple(shown), tuple(answers), place))
    return found
