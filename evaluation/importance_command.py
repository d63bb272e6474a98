"""`python -m evaluation.importance_command`: learns the weight of each source of a corpus."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from excerpta.types import CollectionSettings

from api.commands.on_data import positive
from base.errors import ExcerptaError
from evaluation.beir import DataSet, load, rows
from evaluation.errors import UnreadableSet
from evaluation.importance import Floats, Ranking, expected_utility, learn
from evaluation.runs import Run, run
from evaluation.searches import EngineSearches, engine_over, indexed


def main(argv: Sequence[str] | None = None) -> int:
    """Ranks the judged questions of a set, learns the weights and writes them; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        data, sources = _read(options)
        done = asyncio.run(_ranked(options, data))
    except ExcerptaError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    found = weights_of(done, sources, options.top, options.steps)
    found["filter"] = filter_of(options.source, found["weights"], options.drop_below)
    options.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(
        f"{len(found['weights'])} sources: expected share of answers {found['utility_all']:.4f} with all, "
        f"{found['utility']:.4f} with the weights; written to {options.out}\n"
    )
    return 0


def weights_of(done: Run, sources: Mapping[str, str], top: int, steps: int) -> dict[str, Any]:
    """The weights by source, the set they were learned on, and the mean utility with and without them."""
    names = sorted(set(sources.values()))
    number = {name: at for at, name in enumerate(names)}
    rankings = [
        Ranking(
            [number[sources[document]] for document in one.documents],
            [float(done.data.qrels[query].get(document, 0) > 0) for document in one.documents],
        )
        for query, one in done.ranked.items()
    ]
    weights = learn(rankings, len(names), top, steps=steps)
    return {
        "set": done.data.name,
        "queries": len(rankings),
        "top": top,
        "utility_all": _mean(rankings, weights * 0 + 1, top),
        "utility": _mean(rankings, weights, top),
        "weights": dict(zip(names, weights.round(6).tolist(), strict=True)),
    }


def filter_of(field: str, weights: Mapping[str, float], least: float) -> dict[str, Any] | None:
    """The `filter` of a query that leaves out the sources of a lower weight; None where there are none.

    >>> filter_of("site", {"forum": 0.0, "handbook": 1.0}, 0.1)
    {'site': {'$nin': ['forum']}}
    """
    dropped = [name for name, weight in weights.items() if weight < least]
    return {field: {"$nin": dropped}} if dropped else None


def _mean(rankings: Sequence[Ranking], weights: Floats, top: int) -> float:
    total = sum(float(expected_utility(one, weights[None], top)[0]) for one in rankings)
    return total / max(len(rankings), 1)


def _read(options: argparse.Namespace) -> tuple[DataSet, dict[str, str]]:
    """The set, and the source of each of its documents: a field of its row, or of the row's metadata."""
    folder: Path = options.set
    try:
        data = load(folder, options.split, sample=options.queries, seed=options.seed)
        found = {f"{data.name}/{row['_id']}": row for row in rows(folder / "corpus.jsonl")}
        field = options.source
        sources = {
            key: str(row[field] if field in row else row["metadata"][field]) for key, row in found.items()
        }
    except KeyError as error:
        raise UnreadableSet(
            str(folder), f"a document has no {error}; choose its field by --source"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableSet(str(folder), str(error)) from error
    if not data.queries:
        raise UnreadableSet(str(folder), "no query of queries.jsonl is judged")
    return data, sources


async def _ranked(options: argparse.Namespace, data: DataSet) -> Run:
    with ExitStack() as stack:
        home = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="excerpta-")))
        async with engine_over(home, profile=options.profile, models=options.models) as engine:
            collection = await indexed(engine, [data], CollectionSettings())
            return await run(data, EngineSearches(engine, collection, options.plan, options.depth))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation.importance_command", description=__doc__)
    parser.add_argument("set", type=Path, metavar="DIR", help="a set in BEIR layout, its documents included")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON file to write")
    parser.add_argument("--source", default="source", help="the field with a document's source (%(default)s)")
    parser.add_argument(
        "--drop-below",
        type=float,
        default=0.1,
        metavar="W",
        help="`filter` in the file leaves out sources of a lower weight (%(default)s)",
    )
    parser.add_argument("--plan", default="balanced", help="the preset that ranks (%(default)s)")
    parser.add_argument(
        "--top", type=positive, default=10, help="documents that an answer reads (%(default)s)"
    )
    parser.add_argument("--depth", type=positive, default=50, help="documents of a ranking (%(default)s)")
    parser.add_argument("--steps", type=positive, default=50, help="steps of the ascent (%(default)s)")
    parser.add_argument(
        "--split", help="which judgments; default: test, eval_half or dev, the first there is"
    )
    parser.add_argument("--queries", type=positive, metavar="N", help="a seeded sample of N questions")
    parser.add_argument("--seed", type=int, default=0, help="decides the sample (%(default)s)")
    parser.add_argument("--data", type=Path, help="keeps the index for the next run; default: temporary")
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used")
    parser.add_argument("--profile", default="small", help="whose models are used (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
