"""Private memory of a serving process: idle, after indexing, and after each tenth of many queries.

Python's reference is indexed by a job. Each query asks about another of its sentences and gets a short
answer. What is private is `RssAnon`: mapped files are the system's to take back. The prefix store's memory is
set so small that it is full early.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from excerpta import Client
from excerpta.cli.demo import python_reference

from base.text.sentences import sentences
from benchmarks.pipeline import index_all, serving
from benchmarks.report import Report

_PLAN = {"answer": {"max_tokens": 8}}
_NAME = "python-reference"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used again")
    parser.add_argument("--store-mb", type=int, default=64, help="memory of the prefix store (%(default)s)")


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes, then asks `--queries` questions (1,000 by default)."""
    os.environ["EXCERPTA_PREFIX_MEMORY_MB"] = str(options.store_mb)
    count = options.queries or 1000
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        data = Path(temporary)
        if options.models:
            (data / "models").symlink_to((options.models / "models").resolve())
        with serving(data, _NAME, "memory", report) as (client, server):
            _note(report, "idle", server)
            index_all(client, python_reference(), _NAME, server, report)
            _note(report, "after indexing", server)
            for number, question in enumerate(_questions(count, options.seed), start=1):
                _ask(client, question)
                if number % max(1, count // 10) == 0:
                    _note(report, f"after {number}", server)


def _ask(client: Client, question: str) -> None:
    client.collections.get("bench").ask(question, plan=_PLAN)


def _questions(count: int, seed: int) -> Iterator[str]:
    """Questions about sentences of the reference, each about another one while there are any."""
    found = [
        words
        for document in python_reference()
        for sentence in sentences(document.text)
        if 6 <= len(words := document.text[sentence.start : sentence.end].split()) <= 20
    ]
    drawn = random.Random(seed).sample(found, min(count, len(found)))
    for number in range(count):
        yield f"What is meant by: {' '.join(drawn[number % len(drawn)])}?"


def _note(report: Report, moment: str, server: psutil.Process) -> None:
    status = Path(f"/proc/{server.pid}/status").read_text("ascii")
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    report.add(_NAME, moment, "private_mb", kilobytes / 1024, "MB")
    report.add(_NAME, moment, "threads", server.num_threads(), "threads")
    report.add(_NAME, moment, "descriptors", server.num_fds(), "files")
