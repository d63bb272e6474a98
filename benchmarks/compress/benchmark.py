"""How much of the answers, and of the words that people kept, survives compression; and its speed.

In a set of questions, passages that answer a question are among others, as a search finds them. All are
shortened together. `retention` is the share of questions with one of their answers left, character by
character, in the shortened text of a passage that answers. Where no answer is a part of the text (meetings),
it is the share of the words of the passages that answer. `f1` of a question is that of an answer that the
profile's language model writes from the shortened passages (`--read`). In a set of labelled sentences
(`google-test.jsonl`), each sentence is shortened alone, and `f1` is that of its kept words.

A case is METHOD@RATE. Methods score words with the similarities that an index lends, as in a query. With
`METHOD:alone@RATE` the words count alone, as of loose texts. Baselines are always alone. `llmlingua@RATE` is
the published LLMLingua-2 package with this project's classifier, where `make peers` has put it (`published`).
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from base.text.words import words
from benchmarks.compress import published
from benchmarks.compress.baselines import BASELINES, BaselineScorer, Remembering
from benchmarks.compress.data import Index, Question, read_questions
from benchmarks.compress.reader import Reader
from benchmarks.report import Report
from compress import CATALOGUE, Compressed, Loose, Texts, counter, shorten
from compress.base import CountTokens
from models import Models, load_profile
from training.data.keep_labels import LabelledText, join, read_sentences

ALONE = "alone"
RATES = (0.5, 0.33, 0.2, 0.1)
LABELS = "google-test.jsonl"
ROOT = Path(__file__).parents[2]
Compress = Callable[[str, Texts], list[Compressed]]


@dataclass(slots=True)
class Meter:
    """Runs one case and adds up its tokens and its CPU time."""

    scorer: Remembering
    options: CompressMethod
    count_tokens: CountTokens
    rate: float
    before: int = 0
    after: int = 0
    cpu_s: float = 0.0
    scores: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)

    def compress(self, query: str, texts: Texts) -> list[Compressed]:
        """Shortens the texts to the case's share of their tokens."""
        target = int(self.rate * sum(self.count_tokens(texts.texts)))
        self.scorer.reused_s = 0.0
        started = time.process_time()
        found = shorten(self.scorer, query, texts, self.options, self.count_tokens, target_tokens=target)
        self.cpu_s += time.process_time() - started + self.scorer.reused_s
        self.before += sum(one.tokens_before for one in found)
        self.after += sum(one.tokens_after for one in found)
        return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument(
        "--texts", type=int, help="passages shortened together (20 of multidoc.jsonl, 5 of other sets)"
    )
    parser.add_argument("--read", action="store_true", help="also answer from what is left, which takes long")
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--models", type=Path, default=Path("data"), help="where converted weights are kept")
    parser.add_argument("--peers", type=Path, default=ROOT / ".peers", help="where `make peers` put them")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds retention or F1, the share of tokens kept and the tokens a CPU second of each case."""
    models = Models(load_profile(options.profile), options.models)
    asked = options.cases.split(",") if options.cases else list(default_cases(models.profile.roles()))
    cases = [case_of(name) for name in asked]
    rates = [rate for name, rate in cases if name == published.NAME]
    cases = [case for case in cases if case[0] != published.NAME]
    for folder in options.data:
        if rates:
            beside_the_published(folder, rates, options, models, report)
        meters = meters_of(cases, models, options.seed)
        if (folder / LABELS).is_file():
            texts = labelled(folder, options.queries or 300, options.seed)
            for meter in meters.values():
                meter.scores.append(keep_f1(meter.compress, texts))
        else:
            count = options.queries or 60
            questions = read_questions(folder, options.split, count, texts=options.texts, seed=options.seed)
            measure(questions, meters, Index(models), Reader(models.lm) if options.read else None)
        metric = "f1" if (folder / LABELS).is_file() else "retention"
        for (method, rate), meter in meters.items():
            case = f"{method}@{rate:g}"
            report.add(folder.name, case, metric, sum(meter.scores) / max(len(meter.scores), 1))
            if meter.read:
                report.add(folder.name, case, "f1", sum(meter.read) / len(meter.read))
            report.add(folder.name, case, "kept", meter.after / max(meter.before, 1))
            report.add(folder.name, case, "tokens_per_cpu_s", meter.before / meter.cpu_s, "tokens/s")


def beside_the_published(
    folder: Path, rates: Sequence[float], options: argparse.Namespace, models: Models, report: Report
) -> None:
    """The published package on the texts of one set."""
    if (folder / LABELS).is_file():
        texts = [one.text for one in labelled(folder, options.queries or 300, options.seed)]
    else:
        count = options.queries or 60
        asked = read_questions(folder, options.split, count, texts=options.texts, seed=options.seed)
        texts = [text for one in asked for text in one.texts]
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as room:
        published.measure(folder.name, texts, rates, models, options.peers, Path(room), report)


def default_cases(available: Collection[str]) -> Iterator[str]:
    """Every method that the profile has the networks for, and the baselines, at every rate."""
    methods = [name for name, method in CATALOGUE.items() if method.needs <= set(available)]
    alone = [f"{name}:{ALONE}" for name in methods]
    return (f"{name}@{rate:g}" for name in (*methods, *alone, *BASELINES) for rate in RATES)


def case_of(name: str) -> tuple[str, float]:
    """The method and the rate of a case's name.

    >>> case_of("lexical:alone@0.33")
    ('lexical:alone', 0.33)
    """
    method, _, rate = name.partition("@")
    known = [*CATALOGUE, *BASELINES, published.NAME]
    if method.removesuffix(f":{ALONE}") not in known:
        raise SystemExit(f"no case {name}; it is METHOD@RATE, methods are {', '.join(known)}")
    try:
        share = float(rate)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise SystemExit(f"no case {name}; its rate is a number from 0 to below 1, as in {method}@0.33")
    return method, share


def meters_of(
    cases: Sequence[tuple[str, float]], models: Models, seed: int
) -> dict[tuple[str, float], Meter]:
    """A meter a case. Cases of one method share its scorer, which reads each question once."""
    scorers: dict[str, Remembering] = {}
    meters = {}
    for method, rate in cases:
        name = method.removesuffix(f":{ALONE}")
        if name not in scorers:
            made = BaselineScorer(name, seed) if name in BASELINES else CATALOGUE[name].make(models)
            scorers[name] = Remembering(made)
        chosen = {"structure": "words", "keep": []} if name in BASELINES else {"method": name}
        options = CATALOGUE.resolve(chosen)
        meters[method, rate] = Meter(scorers[name], options, counter(models), rate)
    return meters


def measure(
    questions: Sequence[Question],
    meters: dict[tuple[str, float], Meter],
    index: Index,
    reader: Reader | None,
) -> None:
    """Runs every case on every question; one question at a time, so that its scores serve every rate."""
    for one in questions:
        indexed = index.of(one)
        for (method, _), meter in meters.items():
            alone = method.endswith(f":{ALONE}") or method in BASELINES
            shortened = meter.compress(one.query, Loose(one.texts) if alone else indexed)
            meter.scores.append(retention(one, shortened))
            if reader is not None and one.answers:
                meter.read.append(reader.f1(one, [short.text for short in shortened]))


def retention(one: Question, shortened: Sequence[Compressed]) -> float:
    """Whether an answer is left where it was; without answers, the share of the gold passages' words."""
    if one.answers:
        left = [shortened[at].text for at in one.gold]
        return float(any(answer in text for text in left for answer in one.answers))
    spans = [words(one.texts[at]) for at in one.gold]
    kept = [inside(span, shortened[at].kept).sum() for at, span in zip(one.gold, spans, strict=True)]
    return float(sum(kept)) / max(sum(map(len, spans)), 1)


def keep_f1(compress: Compress, texts: Sequence[LabelledText]) -> float:
    """F1 of the kept words against the labels, over the words of all texts."""
    hits = kept = wanted = 0
    for one in texts:
        (found,) = compress("", Loose([one.text]))
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
