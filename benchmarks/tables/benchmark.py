"""Indexes the tables as a user does, asks the questions, and counts."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from excerpta import Client, Collection
from excerpta.types import Hit, PlanOptions

from benchmarks.report import Report
from benchmarks.tables.facts import countries, elements, entities, statuses
from benchmarks.tables.files import write
from benchmarks.tables.made import on_call, parts, servers, staff, trains, weather
from benchmarks.tables.table import Question, Table

CASES: dict[str, str | PlanOptions] = {
    "fast": "fast",
    "balanced": "balanced",
    "reranked": PlanOptions(rerank={"limit": 10}),
    "lexical": PlanOptions(base="fast", retrieve={"tokens": None}),
    "tokens": PlanOptions(base="fast", retrieve={"lexical": None}),
}
_USUAL = ("fast", "balanced", "lexical", "tokens")
_FIRST = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What one question found: the rank of its row from 0, if it is among the first, and the cell."""

    rank: int | None
    cell: bool


def tables(seed: int) -> list[Table]:
    """The ten tables."""
    public = [elements(), countries(), statuses(), entities()]
    return [*public, *(make(seed) for make in (parts, trains, staff, weather, on_call, servers))]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument(
        "--index", type=Path, help="a data directory that keeps the index; default: temporary"
    )
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used again")
    parser.add_argument("--rows", type=int, default=2000, help="the most rows of a table (%(default)s)")
    parser.add_argument("--show", action="store_true", help="print each question that misses")


def run(options: argparse.Namespace, report: Report) -> None:
    """Adds hits@1, hits@5 and cells of each case, over all tables and by table."""
    made = [table.first(options.rows) for table in tables(options.seed)]
    chance = random.Random(options.seed)
    each = (options.queries or 100) // len(made)
    questions = [(table, one) for table in made for one in table.questions(each, chance)]
    place = nullcontext(options.index) if options.index else tempfile.TemporaryDirectory()
    with place as home:
        home = Path(home)
        home.mkdir(parents=True, exist_ok=True)
        if options.models and not (home / "models").exists():
            (home / "models").symlink_to((options.models / "models").resolve())
        with Client.local(home) as client:
            collection = indexed(client, made)
            for case in options.cases.split(",") if options.cases else _USUAL:
                began = time.process_time()
                found = [
                    ask(collection, table, one, CASES[case], show=f"{case}: " if options.show else None)
                    for table, one in questions
                ]
                cpu = time.process_time() - began
                _report(report, case, questions, found, cpu)


def indexed(client: Client, made: Sequence[Table]) -> Collection:
    """A collection of the tables' files."""
    collection = client.collections.create("tables", exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for table in made:
            write(table, Path(folder))
        collection.sync(folder, prefix="tables")
    return collection


def ask(
    collection: Collection, table: Table, question: Question, plan: Any, *, show: str | None = None
) -> Found:
    """Searches for the answer of one question; `show` prints what was found in place of it."""
    hits = collection.search(question.text, limit=_FIRST, plan=plan, highlight=True).hits
    ranks = [rank for rank, hit in enumerate(hits) if _row_of(hit, table, question) is not None]
    rank = ranks[0] if ranks else None
    wanted = _row_of(hits[0], table, question) if rank == 0 else None
    found = Found(rank, wanted is not None and _cited(hits[0]) == wanted)
    if show is not None and not found.cell:
        row = list(table.rows[question.row].values())
        print(f"{show}{rank} {question.text!r} wants {row} of {table.file}, {question.column}")
        for hit in hits[:2]:
            print(f"    {hit.document_id} {hit.scores} {hit.text[:160]!r} cites {_cited(hit)[:80]!r}")
    return found


def _row_of(hit: Hit, table: Table, question: Question) -> str | None:
    """The line of a hit that is the row, with all of its cells; None where it has none."""
    if hit.metadata.get("source") != f"tables/{table.file}":
        return None
    cells = [cell for cell in table.rows[question.row].values() if cell]
    return next((line for line in _lines(hit) if _has(line, cells)), None)


def _has(line: str, cells: Sequence[str]) -> bool:
    """Whether the cells stand in a line in order, each between what parts the cells of a row."""
    at = 0
    padded = f" {line};"
    for cell in cells:
        found = next(
            (
                at
                for before in (" ", "| ")
                for after in (";", " |")
                if (at := padded.find(f"{before}{cell}{after}", at)) >= 0
            ),
            None,
        )
        if found is None:
            return False
        at = found + len(cell)
    return True


def _lines(hit: Hit) -> list[str]:
    return hit.text.split("\n")


def _cited(hit: Hit) -> str:
    """The line of a hit with the most different words of the question, the first of several."""
    start, best, most = 0, "", -1
    for line in _lines(hit):
        end = start + len(line)
        words = {one.query.lower() for one in hit.highlights or [] if start <= one.at[0] < end}
        if len(words) > most:
            best, most = line, len(words)
        start = end + 1
    return best


def _report(
    report: Report,
    case: str,
    questions: Sequence[tuple[Table, Question]],
    found: Sequence[Found],
    cpu: float,
) -> None:
    by_table = {
        table.file: [one for (of, _), one in zip(questions, found, strict=True) if of is table]
        for table, _ in questions
    }
    for name, some in [("all tables", found), *by_table.items()]:
        report.add(name, case, "hits@1", sum(one.rank == 0 for one in some) / len(some))
        report.add(name, case, "hits@5", sum(one.rank is not None for one in some) / len(some))
        report.add(name, case, "cell", sum(one.cell for one in some) / len(some))
        report.add(name, case, "questions", len(some))
    report.add("all tables", case, "query_cpu_ms", 1000 * cpu / len(found), "ms")
