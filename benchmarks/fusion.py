"""nDCG@10 of every method and weight of fusing tokens and words, from one search per query.

Choose weights on training queries (`--split`), then report them once on others.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ir_measures
import numpy as np
from ir_measures import nDCG
from rich.progress import Progress

from benchmarks.quality import add_index_options, indexed
from benchmarks.report import Report
from evaluation.beir import DataSet, load
from models import Models, load_profile
from retrieval import Snapshot
from retrieval.tokens import TokenEncoder, TokenOptions
from retrieval.types import Hits

CASES = ("lexical", "tokens", "rrf", "weighted", "scores")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    add_index_options(parser)
    parser.add_argument(
        "--weights", default="0.1,0.2,0.3,0.5,1", help="of words beside 1 for tokens (%(default)s)"
    )


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the union of the sets, searches once a query, and fuses in every way."""
    sets = [load(path, options.split, sample=options.queries, seed=options.seed) for path in options.data]
    cases = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(cases) - set(CASES):
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    weights = [float(weight) for weight in options.weights.split(",")]
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        home = options.index or Path(temporary)
        models = Models(load_profile(options.profile), options.models or home / "models")
        encoder = TokenEncoder(models.encoder)
        with indexed(home, sets, encoder, models, options).snapshot() as snapshot:
            means: dict[str, list[float]] = {}
            for data in sets:
                for name, score in _scores(data, snapshot, encoder, options.depth, cases, weights):
                    report.add(data.name, name, "ndcg@10", score)
                    means.setdefault(name, []).append(score)
            for name, scores in means.items():
                report.add("mean", name, "ndcg@10", float(np.mean(scores)))


def _scores(
    data: DataSet,
    snapshot: Snapshot,
    encoder: TokenEncoder,
    depth: int,
    cases: list[str],
    weights: list[float],
) -> Iterator[tuple[str, float]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    with Progress() as progress:
        for query, text in progress.track(data.queries.items(), description=data.name):
            for name, search in _rankings(text, snapshot, encoder, depth, cases, weights):
                best = found.setdefault(name, {}).setdefault(query, {})
                for rank, number in enumerate(search().numbers):
                    best.setdefault(snapshot.passage(int(number)).document_id, 1.0 / (rank + 1))
    for name, ranked in found.items():
        yield name, ir_measures.calc_aggregate([nDCG @ 10], data.qrels, ranked)[nDCG @ 10]


def _rankings(
    text: str,
    snapshot: Snapshot,
    encoder: TokenEncoder,
    depth: int,
    cases: list[str],
    weights: list[float],
) -> Iterator[tuple[str, Callable[[], Hits]]]:
    everything = snapshot.allowed(None)
    vectors = encoder.encode_queries([text])[0].vectors
    lists = {
        "tokens": snapshot.tokens(vectors, TokenOptions(limit=depth), selection=everything),
        "lexical": snapshot.lexical(text, limit=depth, selection=everything),
    }
    for case in cases:
        if case in lists:
            yield case, lambda case=case: lists[case]  # type: ignore[misc]
            continue
        for weight in weights:
            fused = partial(
                snapshot.fused,
                lists,
                query=text,
                vectors=vectors,
                method=case,  # type: ignore[arg-type]
                weights={"lexical": weight},
            )
            yield f"{case}@{weight:g}", lambda fused=fused: fused()[1]  # type: ignore[misc]
