"""The cost of a whole query over HTTP: when hits and words come, and CPU milliseconds until then, by plan.

The benchmark starts a server and indexes by a job. Every case has a server of its own that has cached no
passage. `cold` cases ask as the first to do so; in `warm` ones the same questions have been asked in other
words. CPU time is that of the server process, all threads.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from excerpta import Client, DocumentIn
from excerpta.cli.demo import python_reference, temporary_server
from excerpta.types import DeltaEvent, DoneEvent, HitsEvent

from benchmarks.picture import picture
from benchmarks.report import Report
from evaluation.beir import load

CASES = ("fast", "balanced-cold", "balanced-warm", "best-cold", "best-warm")
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
_NO_STAGES = {"total", "first_token"}
"""Timings that other stages are parts of."""
_OTHER_WORDS = "Please say in short: {question}"
_FIRST = "What is a module?"
"""Asked before anything is measured, so that no question pays for what is made at the first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds since the question until its hits, its first word and its end; those of CPU time too."""

    hit: tuple[float, float]
    word: tuple[float, float] | None
    end: tuple[float, float]
    done: DoneEvent

    def measures(self) -> Iterator[tuple[str, float, str]]:
        """Metrics by name, with their units."""
        yield "first_hit_ms", self.hit[0], "ms"
        yield "find_cpu_ms", self.hit[1], "ms"
        if self.word is not None:
            yield "first_token_ms", self.word[0], "ms"
            yield "read_cpu_ms", self.word[1] - self.hit[1], "ms"
            written = self.done.usage.generated_tokens - 1
            if written > 0:
                yield "tokens_per_s", written / (self.end[0] - self.word[0]) * 1000, "tokens/s"
                yield "token_cpu_ms", (self.end[1] - self.word[1]) / written, "ms"
        yield "query_ms_p50", self.end[0], "ms"
        yield "query_cpu_ms", self.end[1], "ms"
        yield "encoded_passages", self.done.usage.encoded_passages, "passages"
        for stage, milliseconds in self.done.timings_ms.items():
            yield f"{stage}_ms", milliseconds, "ms"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--models", type=Path, help="a data directory whose converted models are used again")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw each case's stages as well")


def run(options: argparse.Namespace, report: Report) -> None:
    """Indexes the set (or Python's reference, with no --data), asks every question in every case."""
    name, documents, questions = _load(options)
    cases = options.cases.split(",") if options.cases else list(CASES)
    stages: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        data = Path(temporary)
        if options.models:
            (data / "models").symlink_to((options.models / "models").resolve())
        with serving(data, name, "index", report) as (client, server):
            index_all(client, documents, name, server, report)
        for case in cases:
            shutil.rmtree(data / "prefixes", ignore_errors=True)
            with serving(data, name, case, report) as (client, server):
                stages[case] = _ask_all(client, questions, case, name, server, report)
    if options.picture:
        options.picture.write_text(picture(stages), "utf-8")


def _load(options: argparse.Namespace) -> tuple[str, list[DocumentIn], list[str]]:
    if not options.data:
        return "python-reference", python_reference(), list(_REFERENCE_QUESTIONS[: options.queries])
    data = load(options.data[0], options.split, sample=options.queries or 20, seed=options.seed)
    documents = [DocumentIn(id=one.id, title=one.title, text=one.text) for one in data.documents]
    questions = list(data.queries.values())
    random.Random(options.seed).shuffle(questions)
    return data.name, documents, questions


@contextmanager
def serving(data: Path, name: str, case: str, report: Report) -> Iterator[tuple[Client, psutil.Process]]:
    """A server that is ready, and its process; at the end its memory is reported."""
    began = time.perf_counter()
    with temporary_server(data) as url, Client(url, timeout=600) as client:
        server = _server_process(url)
        report.add(name, case, "start_s", time.perf_counter() - began, "s")
        report.add(name, case, "start_cpu_s", _cpu_ms(server) / 1000, "s")
        yield client, server
        report.add(name, case, "rss_mb", server.memory_info().rss / 1e6, "MB")


def _server_process(url: str) -> psutil.Process:
    port = int(url.rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port for one in child.net_connections(kind="tcp")):
            return child
    raise RuntimeError(f"no process of ours listens on {port}")


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return (times.user + times.system) * 1000


def index_all(
    client: Client, documents: list[DocumentIn], name: str, server: psutil.Process, report: Report
) -> None:
    cpu, began = _cpu_ms(server), time.perf_counter()
    job = client.collections.create("bench").ingest_documents(documents).wait(progress=True)
    seconds = time.perf_counter() - began
    report.add(name, "index", "passages_per_s", job.passages / seconds, "passages/s")
    report.add(name, "index", "passages", job.passages, "passages")
    report.add(name, "index", "cpu_ms_per_passage", (_cpu_ms(server) - cpu) / max(1, job.passages), "ms")


def _ask_all(
    client: Client, questions: Sequence[str], case: str, name: str, server: psutil.Process, report: Report
) -> dict[str, float]:
    """Reports medians; returns the mean milliseconds of each stage, in their order."""
    plan, _, state = case.partition("-")
    ask = _Asker(client, plan, server)
    ask(_FIRST)
    if state == "warm":
        for question in questions:
            ask(_OTHER_WORDS.format(question=question))
    measured: dict[tuple[str, str], list[float]] = {}
    stages: dict[str, float] = {}
    for question in questions:
        asked = ask(question)
        for stage, milliseconds in asked.done.timings_ms.items():
            if stage not in _NO_STAGES:
                stages[stage] = stages.get(stage, 0.0) + milliseconds / len(questions)
        for metric, value, unit in asked.measures():
            measured.setdefault((metric, unit), []).append(value)
    for (metric, unit), values in measured.items():
        report.add(name, case, metric, statistics.median(values), unit)
    return stages


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks a question and notes when its events come."""

    client: Client
    plan: str
    server: psutil.Process

    def __call__(self, question: str) -> Asked:
        cpu, began = _cpu_ms(self.server), time.perf_counter()

        def since() -> tuple[float, float]:
            return (time.perf_counter() - began) * 1000, _cpu_ms(self.server) - cpu

        hit, word = None, None
        with self.client.collections.get("bench").stream(question, plan=self.plan) as events:
            for event in events:
                if isinstance(event, HitsEvent):
                    hit = since()
                elif isinstance(event, DeltaEvent) and word is None and event.text:
                    word = since()
                elif isinstance(event, DoneEvent):
                    assert hit is not None
                    return Asked(hit, word, since(), event)
        raise RuntimeError("a stream ended without its last event")
