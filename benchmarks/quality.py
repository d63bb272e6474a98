"""Ranking quality of each stage: nDCG@10, recall@100, MRR@10 and hits, by `ir-measures`.

Each case is a plan that the query engine runs, as the service does. A document's score is its best
passage's. A reranker is a case by its name: the default plan with that method in place of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from excerpta.types import CollectionSettings
from excerpta.types.retrieve import Ngrams
from rich.progress import Progress

from api.query.engine import QueryEngine
from benchmarks.report import Report
from evaluation.beir import DataSet, load
from evaluation.runs import Ranked, Run, Searches, best_first
from evaluation.runs import run as run_set
from evaluation.searches import DEPTH, EngineSearches, engine_over, indexed
from rerank import CATALOGUE as RERANKERS
from retrieval.catalogue import RETRIEVERS
from retrieval.tokens import TokenOptions
from retrieval.tokens.retriever import find

CASES = ("lexical", "tokens", "ngrams", "fused", "reranked")
OTHERS = ("exact", "unrefined", "every")
_OFF = dict.fromkeys(RETRIEVERS)


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Options of the index: its directory, models and passage size."""
    parser.add_argument(
        "--index",
        type=Path,
        help="a data directory that keeps the index for the next run; default: temporary",
    )
    parser.add_argument(
        "--models",
        type=Path,
        help="another data directory whose converted models are used; default: the index's",
    )
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--passage-tokens", type=int, default=200)
    parser.add_argument("--depth", type=int, default=DEPTH, help="passages taken from each retriever")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    add_index_options(parser)
    parser.add_argument(
        "--refine", type=int, help="exact MaxSim over the best N of the tokens case; default: by size"
    )
    parser.add_argument(
        "--k-tokens", type=int, help="tokens retrieved for each query token; default: by size"
    )
    parser.add_argument("--rerank", type=int, default=10, help="passages that are reranked")


def plan_of(case: str, options: argparse.Namespace) -> dict[str, Any]:
    """The plan of a case: one retriever, `every` one, or the default plan up to fusing or reranking."""
    depth = {"limit": options.depth}
    tokens = depth | {"k_tokens": options.k_tokens, "refine": options.refine}
    alone: dict[str, dict[str, Any]] = {
        **{name: {name: depth} for name in RETRIEVERS},
        "tokens": {"tokens": tokens},
        "unrefined": {"tokens": tokens | {"refine": 0}},
    }
    if case in alone:
        return {"retrieve": _OFF | alone[case], "rerank": None}
    if case == "every":
        return {"retrieve": dict.fromkeys(RETRIEVERS, depth) | {"tokens": tokens}, "rerank": None}
    rerank: dict[str, Any] | None = None
    if case == "reranked" or case in RERANKERS:
        rerank = {"limit": options.rerank} | ({"method": case} if case in RERANKERS else {})
    return {"retrieve": {"tokens": tokens, "lexical": depth}, "rerank": rerank}


@dataclass(frozen=True, slots=True)
class Exact:
    """MaxSim over every passage, which no plan asks for."""

    engine: QueryEngine
    collection: str
    depth: int

    async def search(self, question: str) -> Ranked:
        """The documents by their best passages."""
        collection = self.engine.library.open(await self.engine.library.get(self.collection))
        vectors = self.engine.networks.encode_query(question).vectors
        with collection.snapshot() as snapshot:
            options = TokenOptions(limit=self.depth, exact_up_to=1 << 62)
            hits = find(snapshot.searched, vectors, options, snapshot.allowed(None))
            return Ranked(best_first(snapshot.passage(int(one)).document_id for one in hits.numbers))


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the union of the sets, then runs every case on every set."""
    cases = options.cases.split(",") if options.cases else list(CASES)
    unknown = set(cases) - {*CASES, *OTHERS, *RERANKERS}
    if unknown:
        known = ", ".join((*CASES, *OTHERS, *RERANKERS))
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {known}")
    sets = [load(path, options.split, sample=options.queries, seed=options.seed) for path in options.data]
    asyncio.run(_run(sets, cases, options, report))


async def _run(sets: list[DataSet], cases: list[str], options: argparse.Namespace, report: Report) -> None:
    async with opened(sets, options, ngrams=bool({Ngrams.name(), "every"} & set(cases))) as (
        engine,
        collection,
    ):
        for data in sets:
            for case in cases:
                searches: Searches
                if case == "exact":
                    searches = Exact(engine, collection, options.depth)
                else:
                    plan = plan_of(case, options)
                    searches = EngineSearches(engine, collection, plan, options.depth)
                _report(case, await _with_bar(data, case, searches), report)


@asynccontextmanager
async def opened(
    sets: list[DataSet], options: argparse.Namespace, *, ngrams: bool = False
) -> AsyncIterator[tuple[QueryEngine, str]]:
    """The engine over the sets' documents, and the name of their collection, made if it is not there yet."""
    settings = CollectionSettings(passage_tokens=options.passage_tokens, ngrams=ngrams)
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        home = options.index or Path(temporary)
        async with engine_over(home, profile=options.profile, models=options.models) as engine:
            with Progress() as progress:
                task = progress.add_task("indexing", total=None)
                name = await indexed(
                    engine,
                    sets,
                    settings,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                )
            yield engine, name


async def _with_bar(data: DataSet, case: str, searches: Searches) -> Run:
    with Progress() as progress:
        task = progress.add_task(f"{data.name} {case}", total=len(data.queries))
        return await run_set(data, searches, progress=lambda: progress.advance(task))


def _report(case: str, done: Run, report: Report) -> None:
    for metric, value in done.scores().items():
        report.add(done.data.name, case, metric, value)
    report.add(done.data.name, case, "cpu_ms", statistics.fmean(done.cpu_ms or [0.0]), "CPU ms a query")
    report.add(done.data.name, case, "queries", len(done.data.queries), "queries")
