"""Rerankers on the same lists of candidates in one run: quality, forward passes, tokens read, CPU seconds.

The first `--depth` candidates of each list are ranked anew and the rest follow as they were, so that nDCG@10
is that of the whole list. --data is a folder of lists (`*.jsonl` with candidates) or a set in BEIR layout.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import torch
from excerpta.types.rerank import CrossEncoder, First, Icr, Likelihood, RerankMethod
from rich.progress import Progress

from base.errors import ExcerptaError
from benchmarks.report import Report
from benchmarks.rerank.candidate_lists import CandidateSet, read_sets
from benchmarks.rerank.pointwise import LogitScore, MaxSim
from evaluation.measures import scores
from models import Models, load_profile
from models.errors import InvalidProfile
from models.networks.letter_network import LetterNetwork, Ranker
from rerank import CATALOGUE, AnyReranker, Ranking, Texts
from retrieval.tokens import TokenEncoder

CASES = (
    "input",
    "maxsim",
    "first-zero-shot",
    "first",
    "first-calibrated",
    "first-orders",
    "likelihood",
    "icr-all",
    "icr",
    "icr-best-first",
    "logit-score",
    "cross-encoder",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A reranker with its options; without one, the input order."""

    reranker: AnyReranker | None
    options: Any = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="where converted models are kept; default: temporary")
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument(
        "--adapter",
        type=Path,
        metavar="DIR",
        help="letter weights of `first`; default: the profile's [ranker]",
    )
    parser.add_argument("--depth", type=int, default=20, help="candidates that are reranked (%(default)s)")
    parser.add_argument("--window", type=int, default=20, help="of `first`, in passages (%(default)s)")
    parser.add_argument(
        "--layers", default="0.6,0.62", help="of `icr`, as shares of the network's depth (%(default)s)"
    )
    parser.add_argument("--passage-words", type=int, default=100, help="read of a passage (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (%(default)s)")


def run(options: argparse.Namespace, report: Report) -> None:
    """Ranks every list by every case."""
    torch.set_num_threads(options.threads)
    names = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(names) - set(CASES):
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    sets = [
        one.sample(options.queries, options.seed)
        for folder in options.data
        for one in read_sets(folder, options.split)
    ]
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        make = makers(Models(load_profile(options.profile), options.models or Path(temporary)), options)
        for name in names:
            try:
                case = make[name]()
            except ExcerptaError as error:
                for data in sets:
                    report.note(data.name, name, str(error))
                continue
            for data in sets:
                _measure(data, name, case, options, report)


def makers(models: Models, options: argparse.Namespace) -> Mapping[str, Callable[[], Case]]:
    """What makes each case, by name; a case raises ExcerptaError where its model is missing."""
    begin, end = map(float, options.layers.split(","))
    words, size = options.passage_words, min(options.window, 20)
    first = First(window=size, stride=max(1, size // 2), passage_words=words)
    tokens = 2 * words  # no text of these sets has more tokens a word

    def by(method: RerankMethod, **networks: Any) -> Case:
        return Case(CATALOGUE.of(method).make(SimpleNamespace(**networks)), method)

    def tuned(**changes: Any) -> Case:
        return by(msgspec.structs.replace(first, **changes), ranker=_ranker(models, options.adapter))

    icr = Icr(passage_tokens=tokens, layers_from=begin, layers_to=end)
    return {
        "input": lambda: Case(None),
        "maxsim": lambda: Case(MaxSim(TokenEncoder(models.encoder))),
        "first-zero-shot": lambda: by(first, ranker=Ranker(models.lm, "first")),
        "first": tuned,
        "first-calibrated": lambda: tuned(calibrate=True),
        "first-orders": lambda: tuned(orders=2),
        "likelihood": lambda: by(Likelihood(passage_tokens=tokens), lm=models.lm),
        "icr-all": lambda: by(msgspec.structs.replace(icr, layers_from=0.0, layers_to=1.0), lm=models.lm),
        "icr": lambda: by(icr, lm=models.lm),
        "icr-best-first": lambda: by(msgspec.structs.replace(icr, reverse=False), lm=models.lm),
        "logit-score": lambda: Case(LogitScore(models.lm, tokens)),
        "cross-encoder": lambda: by(CrossEncoder(), cross_encoder=models.cross_encoder),
    }


def _ranker(models: Models, adapter: Path | None) -> Ranker:
    if adapter is not None:
        network = LetterNetwork.load(models.lm, adapter)
        return Ranker(network, network.config.prompt)
    if models.profile.ranker is None:
        raise InvalidProfile(models.profile.name, "it has no ranker; give --adapter, or add [ranker]")
    return models.ranker


def _ranking(case: Case, question: str, texts: Sequence[str]) -> Ranking:
    assert case.reranker is not None
    return case.reranker.rank(question, Texts(texts), case.options)


def _measure(data: CandidateSet, name: str, case: Case, options: argparse.Namespace, report: Report) -> None:
    """Ranks every list of one set by one case. Reading the model the first time is not measured."""
    ranked: dict[str, list[str]] = {}
    passes = tokens = 0
    seconds = 0.0
    places: Counter[int] = Counter()
    if case.reranker is not None and data.lists:
        _ranking(case, data.lists[0].question, data.lists[0].texts[:2])
    with Progress() as progress:
        for one in progress.track(data.lists, description=f"{data.name} {name}"):
            if case.reranker is None:
                ranked[one.query] = list(one.documents)
                continue
            began = time.process_time()
            ranking = _ranking(case, one.question, one.texts[: options.depth])
            seconds += time.process_time() - began
            passes, tokens = passes + ranking.forward_passes, tokens + ranking.tokens_read
            order = ranking.order.tolist()
            places.update(order[:1])
            ranked[one.query] = [one.documents[at] for at in order] + list(one.documents[options.depth :])
    found = scores(data.qrels, ranked, ["ndcg@10", "mrr@10"])
    count = max(1, len(data.lists))
    for metric, value in found.items():
        report.add(data.name, name, metric, value)
    report.add(data.name, name, "passes", passes / count, "forward passes a query")
    report.add(data.name, name, "tokens", tokens / count, "tokens read a query")
    report.add(data.name, name, "cpu_s", seconds / count, "CPU seconds a query")
    if places:
        report.add(data.name, name, "same place first", max(places.values()) / count, "share of the lists")
    report.add(data.name, name, "queries", len(data.lists), "queries")
