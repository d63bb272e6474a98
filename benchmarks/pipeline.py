"""The cost of a whole query over HTTP: milliseconds and CPU milliseconds per stage, by plan.

The benchmark starts a server and indexes by a job. CPU time is that of the server process, all threads.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from excerpta import Client, DocumentIn
from excerpta.cli.demo import python_reference, temporary_server

from benchmarks.report import Report
from evaluation.beir import load

CASES = ("fast", "balanced", "best")
_REFERENCE_QUESTIONS = (
    "What happens if the else clause of a for loop follows a break?",
    "What is the difference between a tuple and a list?",
    "How does the with statement handle exceptions?",
    "What operators have the highest precedence?",
    "How is the metaclass of a class determined?",
    "What does the nonlocal statement do?",
    "How does string slicing work?",
    "What is the __slots__ attribute for?",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used again")


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the set (or Python's reference, with no --data), asks every question with every plan."""
    name, documents, questions = _load(options)
    cases = options.cases.split(",") if options.cases else list(CASES)
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        data = Path(temporary)
        if options.models:
            (data / "models").symlink_to((options.models / "models").resolve())
        with temporary_server(data) as url, Client(url, timeout=600) as client:
            server = _server_process(url)
            report.add(name, "idle", "rss_mb", server.memory_info().rss / 1e6, "MB")
            _index(client, documents, name, server, report)
            for case in cases:
                _ask(client, questions, case, name, server, report)
            report.add(name, "after", "rss_mb", server.memory_info().rss / 1e6, "MB")


def _load(options: argparse.Namespace) -> tuple[str, list[DocumentIn], list[str]]:
    if not options.data:
        return "python-reference", python_reference(), list(_REFERENCE_QUESTIONS[: options.queries])
    data = load(options.data[0], options.split, sample=options.queries or 20, seed=options.seed)
    documents = [DocumentIn(id=one.id, title=one.title, text=one.text) for one in data.documents]
    questions = list(data.queries.values())
    random.Random(options.seed).shuffle(questions)
    return data.name, documents, questions


def _server_process(url: str) -> psutil.Process:
    port = int(url.rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port for one in child.net_connections(kind="tcp")):
            return child
    raise RuntimeError(f"no process of ours listens on {port}")


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return (times.user + times.system) * 1000


def _index(
    client: Client, documents: list[DocumentIn], name: str, server: psutil.Process, report: Report
) -> None:
    cpu, began = _cpu_ms(server), time.perf_counter()
    job = client.collections.create("bench").ingest_documents(documents).wait(progress=True)
    seconds = time.perf_counter() - began
    report.add(name, "index", "passages_per_s", job.passages / seconds, "passages/s")
    report.add(name, "index", "passages", job.passages, "passages")
    report.add(name, "index", "cpu_ms_per_passage", (_cpu_ms(server) - cpu) / max(1, job.passages), "ms")


def _ask(
    client: Client, questions: list[str], plan: str, name: str, server: psutil.Process, report: Report
) -> None:
    collection = client.collections.get("bench")
    collection.ask(questions[0], plan=plan)
    walls, cpus = [], []
    stages: dict[str, list[float]] = {}
    for question in questions:
        cpu, began = _cpu_ms(server), time.perf_counter()
        reply = collection.ask(question, plan=plan)
        walls.append((time.perf_counter() - began) * 1000)
        cpus.append(_cpu_ms(server) - cpu)
        for stage, milliseconds in reply.timings_ms.items():
            stages.setdefault(stage, []).append(milliseconds)
    report.add(name, plan, "query_ms_p50", statistics.median(walls), "ms")
    report.add(name, plan, "query_cpu_ms", statistics.median(cpus), "ms")
    for stage, times in stages.items():
        report.add(name, plan, f"{stage}_ms", statistics.median(times), "ms")
