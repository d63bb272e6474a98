"""nDCG@10 of every method and weight of fusing tokens and words, from one search per query.

Choose weights on training queries (`--split`), then report them once on others.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
from excerpta.types import SearchRequest
from excerpta.types.fuse import FuseMethod
from rich.progress import Progress

from api.query.engine import QueryEngine
from benchmarks.quality import add_index_options, opened
from benchmarks.report import Report
from evaluation.beir import DataSet, load
from evaluation.measures import scores
from evaluation.runs import best_first
from evaluation.searches import ranking_plan
from retrieval.catalogue import RETRIEVERS
from retrieval.fusion import CATALOGUE as FUSIONS

FUSED = ("tokens", "lexical")
"""The retrievers whose lists are fused."""
CASES = (*FUSED, *FUSIONS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    add_index_options(parser)
    parser.add_argument(
        "--weights", default="0.1,0.2,0.3,0.5,1", help="of words beside 1 for tokens (%(default)s)"
    )


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the union of the sets, searches once a query, and fuses in every way."""
    cases = options.cases.split(",") if options.cases else list(CASES)
    if unknown := set(cases) - set(CASES):
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    sets = [load(path, options.split, sample=options.queries, seed=options.seed) for path in options.data]
    asyncio.run(_run(sets, cases, options, report))


async def _run(sets: list[DataSet], cases: list[str], options: argparse.Namespace, report: Report) -> None:
    weights = [float(weight) for weight in options.weights.split(",")]
    means: dict[str, list[float]] = {}
    async with opened(sets, options) as (engine, collection):
        for data in sets:
            found = await _found(data, engine, collection, options.depth, fusions(cases, weights))
            for name, ranked in found.items():
                score = scores(data.qrels, ranked, ["ndcg@10"])["ndcg@10"]
                report.add(data.name, name, "ndcg@10", score)
                means.setdefault(name, []).append(score)
    for name, values in means.items():
        report.add("mean", name, "ndcg@10", float(np.mean(values)))


def fusions(cases: list[str], weights: list[float]) -> dict[str, FuseMethod]:
    """The options of every fusion by its name. A retriever alone is the fusion of its list only."""
    found: dict[str, FuseMethod] = {}
    for case in cases:
        if case in FUSED:
            found[case] = FUSIONS.resolve({"weights": {case: 1.0}})
            continue
        for weight in weights:
            found[f"{case}@{weight:g}"] = FUSIONS.resolve(
                {"method": case, "weights": dict(zip(FUSED, (1.0, weight), strict=True))}
            )
    return found


async def _found(
    data: DataSet, engine: QueryEngine, collection: str, depth: int, ways: dict[str, FuseMethod]
) -> dict[str, dict[str, list[str]]]:
    """The ranked documents of each query, by fusion."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in ways}
    with Progress() as progress:
        for query, text in progress.track(data.queries.items(), description=data.name):
            async for name, documents in _rankings(text, engine, collection, depth, ways):
                found[name][query] = documents
    return found


async def _rankings(
    text: str, engine: QueryEngine, collection: str, depth: int, ways: dict[str, FuseMethod]
) -> AsyncIterator[tuple[str, list[str]]]:
    """One search by the engine's stages, fused in every way."""
    retrieve = {name: {"limit": depth} if name in FUSED else None for name in RETRIEVERS}
    plan = ranking_plan({"retrieve": retrieve, "rerank": None})
    running = await engine.start(SearchRequest(collection=collection, query=text, plan=plan))
    stages, query = running.stages, running.query
    sources = await stages.open(query.entries, None, query.caller)
    reads = await stages.read(query.text, query.plan.retrieve)
    lists = await stages.retrieve(sources, reads, query.plan.retrieve)
    for name, fuse in ways.items():
        alone = {name} & {*FUSED}
        kept = [replace(one, lists={key: one.lists[key] for key in alone or one.lists}) for one in lists]
        candidates = await stages.fuse(kept, fuse)
        yield name, best_first(one.passage.document_id for one in candidates)
