"""`excerpta evaluate`: how well plans rank documents that people have judged."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from excerpta.types import CollectionSettings
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.commands.on_data import positive
from api.errors import InvalidPlan
from api.query.engine import QueryEngine
from api.query.plan import check
from base.errors import ExcerptaError
from evaluation.beir import DataSet, load, load_questions
from evaluation.errors import UnreadableSet
from evaluation.measures import MEASURES
from evaluation.runs import Run, run
from evaluation.searches import DEPTH, EngineSearches, Plan, engine_over, indexed, ranking_plan


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluates each plan on each set, prints a table a set; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        done = asyncio.run(_evaluate(options, _read(options)))
        rows = [(plan, one, one.scores()) for plan, one in done]
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if options.json:
        _write(options.json, rows)
    for _, of_set in groupby(rows, key=lambda row: row[1].data.name):
        Console().print(_table(list(of_set)))
    return 0


def _read(options: argparse.Namespace) -> list[DataSet]:
    read = load_questions if options.collection else load
    sets = []
    for directory in options.sets:
        try:
            sets.append(read(directory, options.split, sample=options.queries, seed=options.seed))
        except (OSError, ValueError, KeyError) as error:
            raise UnreadableSet(str(directory), str(error)) from error
        if not sets[-1].queries:
            raise UnreadableSet(str(directory), "no query of queries.jsonl is judged")
    return sets


async def _evaluate(options: argparse.Namespace, sets: list[DataSet]) -> list[tuple[str, Run]]:
    plans = options.plan or ["balanced"]
    for plan in plans:  # before the sets are indexed, which may take hours
        check(ranking_plan(_plan(plan)))
    with ExitStack() as stack:
        home = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="excerpta-")))
        progress = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
        async with engine_over(
            home,
            profile=options.profile,
            models=options.models,
            device=options.device,
            timeout_s=options.query_timeout,
        ) as engine:
            collection = options.collection or await _indexed(engine, sets, options, progress)
            return [
                (plan, await _run(engine, collection, plan, data, options.depth, progress))
                for data in sets
                for plan in plans
            ]


async def _indexed(
    engine: QueryEngine, sets: list[DataSet], options: argparse.Namespace, progress: Progress
) -> str:
    settings = CollectionSettings(passage_tokens=options.passage_tokens, ngrams=options.ngrams)
    task = progress.add_task("indexing", total=None)
    return await indexed(
        engine,
        sets,
        settings,
        progress=lambda done, total: progress.update(task, completed=done, total=total),
    )


async def _run(
    engine: QueryEngine, collection: str, plan: str, data: DataSet, depth: int, progress: Progress
) -> Run:
    task = progress.add_task(f"{data.name}, {plan}", total=len(data.queries))
    searches = EngineSearches(engine, collection, _plan(plan), depth)
    return await run(data, searches, progress=lambda: progress.advance(task))


def _plan(given: str) -> Plan:
    if not given.lstrip().startswith("{"):
        return given
    try:
        plan: dict[str, object] = json.loads(given)
    except ValueError as error:
        raise InvalidPlan(f"{given} is not JSON: {error}.") from error
    return plan


def _table(rows: Sequence[tuple[str, Run, dict[str, float]]]) -> Table:
    """One set's measures, a column for each plan."""
    data = rows[0][1].data
    table = Table("", *(plan for plan, _, _ in rows), title=f"{data.name}, {len(data.queries):,} queries")
    for name in MEASURES:
        table.add_row(name, *(f"{scores[name]:.4f}" for _, _, scores in rows))
    for name, times in (("ms, median", "wall_ms"), ("CPU ms, median", "cpu_ms")):
        table.add_row(name, *(f"{statistics.median(getattr(done, times)):,.0f}" for _, done, _ in rows))
    return table


def _write(path: Path, rows: Iterable[tuple[str, Run, dict[str, float]]]) -> None:
    """Appends one object for each set and plan."""
    with path.open("a", encoding="utf-8") as file:
        for plan, done, scores in rows:
            row = {
                "set": done.data.name,
                "plan": _plan(plan),
                "queries": len(done.ranked),
                "scores": scores,
                "query_ms_p50": statistics.median(done.wall_ms),
                "query_cpu_ms": statistics.median(done.cpu_ms),
                "stage_ms_p50": done.stage_ms(),
            }
            file.write(json.dumps(row) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="excerpta evaluate",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Asks judged questions and measures the ranking of each plan: nDCG, recall, MRR and hits.

A set is a directory in BEIR layout: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv. Its documents are
indexed first. With --collection the questions are asked to a collection that is there already, and
qrels name its document ids; corpus.jsonl is then not needed. No answers are written.""",
        epilog="""\
examples:
  excerpta evaluate DATA/scifact                              the default plan
  excerpta evaluate DATA/scifact --plan fast --plan best      two plans beside each other
  excerpta evaluate DATA/scifact --plan '{"rerank": {"limit": 50}}' --queries 100
  excerpta evaluate ./our-questions --collection handbook --data ./data""",
    )
    parser.add_argument("sets", nargs="+", type=Path, metavar="DIR", help="several sets are indexed as one")
    parser.add_argument(
        "--plan", action="append", metavar="PLAN", help="a preset or JSON; repeat it to compare (balanced)"
    )
    parser.add_argument(
        "--split", help="which judgments; default: test, eval_half or dev, the first there is"
    )
    parser.add_argument("--queries", type=positive, metavar="N", help="a seeded sample of N questions a set")
    parser.add_argument("--seed", type=int, default=0, help="decides the sample (%(default)s)")
    parser.add_argument(
        "--collection", metavar="NAME", help="a collection in --data, instead of corpus.jsonl"
    )
    parser.add_argument(
        "--data", type=Path, help="data directory that keeps the index for the next run; default: temporary"
    )
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used")
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (%(default)s)")
    parser.add_argument("--passage-tokens", type=positive, default=200, help="of a new index (%(default)s)")
    parser.add_argument("--ngrams", action="store_true", help="index n-grams, for plans that search by them")
    parser.add_argument("--depth", type=positive, default=DEPTH, help="passages of a ranking (%(default)s)")
    parser.add_argument(
        "--query-timeout",
        type=float,
        default=3600.0,
        metavar="S",
        help="seconds for one question (%(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="append one object for each set and plan")
    return parser


if __name__ == "__main__":
    sys.exit(main())
