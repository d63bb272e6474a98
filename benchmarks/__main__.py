"""`python -m benchmarks NAME`: runs one benchmark, prints a table, writes JSON lines."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from benchmarks.report import Report

BENCHMARKS = {
    "quality": "nDCG@10 and recall@100 of each stage on BEIR-layout data",
    "compress": "answers and labelled words that survive compression, and tokens a CPU second",
    "conversations": "how often a follow-up still finds its passage, by the way it is rewritten",
    "context": "milliseconds to an answer's first token, by where the passages' blocks are, and after it",
    "decode": "milliseconds and CPU milliseconds a written token, beside the modules and llama.cpp",
    "evidence": "how well questions that the documents do not answer are recognised beforehand",
    "fusion": "nDCG@10 of every way to fuse tokens and words, by weight",
    "memory": "private memory of a serving process: idle, after indexing, after each tenth of the queries",
    "ngrams": "n-gram index beside fm-index: building, bytes, lookups, and whole questions by beams",
    "pipeline": "milliseconds and CPU milliseconds of whole queries over HTTP, by plan and stage",
    "rerank": "nDCG@10, tokens read and CPU seconds of every reranker on the same lists of candidates",
    "reading": "words and cells read of sample files of document libraries, by format",
    "sampling": "how often a sampled answer is cited, by temperature",
    "sync": "CPU seconds of keeping a collection equal to a folder, beside its first indexing",
    "tables": "how often the first hit is the row that answers, over ten tables, by plan",
    "tokens": "token retrieval beside its peers: time, CPU time, size, memory, recall of exact MaxSim",
}


def main() -> int:
    """Parses the options that all benchmarks share and runs one."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="NAME")
    for name, summary in BENCHMARKS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument(
            "--data",
            action="append",
            type=Path,
            required=name in ("quality", "fusion", "evidence", "compress", "conversations", "rerank"),
            metavar="DIR",
            help="BEIR layout; several make a union",
        )
        command.add_argument(
            "--split", help="the qrels to use; default: test, eval_half or dev, the first there is"
        )
        command.add_argument("--cases", help="comma-separated; default: all")
        command.add_argument("--queries", type=int, metavar="N", help="a seeded sample of N queries a set")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--json", type=Path, metavar="FILE", help="append one JSON object a line")
        importlib.import_module(f"benchmarks.{name}").add_options(command)
    options = parser.parse_args()
    report = Report(options.benchmark, options.json)
    importlib.import_module(f"benchmarks.{options.benchmark}").run(options, report)
    sys.stdout.write(report.table())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
