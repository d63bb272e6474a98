"""Time to the first token of an answer, by where the passages' blocks are cached, and time per later token.

Each run is one whole request in this process: tokenising, looking up, reading, choosing. The cases take
turns, and of the runs the fastest counts, for wall and CPU time apart: other programs only ever add to it.
"""

from __future__ import annotations

import gc
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import redis
from excerpta.cli.demo import python_reference
from excerpta.types.reading import Ape, ReadingMethod, Sequential, Superposition

from benchmarks.report import Report
from context import ContextEngine, ContextPassage, PrefixStore, RedisTier
from context.prefix_store import Storage
from context.writing.transcript import Writing
from models import LanguageModel

_PARALLEL, _IN_SEQUENCE, _SUPERPOSITION = Ape(), Sequential(), Superposition()
SPEED_CASES = (
    _IN_SEQUENCE.name(),
    "cold",
    "memory",
    "disk",
    "disk-cold",
    "redis",
    "partial",
    _SUPERPOSITION.name(),
    "question-only",
    "decode",
)
PASSAGE_TOKENS = 200
_OTHERS = (
    "list",
    "set",
    "string",
    "class",
    "number",
    "module",
    "function",
    "file",
    "method",
    "code",
    "range",
)
QUESTIONS = tuple(f"What is the difference between a tuple and a {other}?" for other in _OTHERS)
QUESTION = QUESTIONS[0]
_DECODED = 12
_BUDGET = 8 << 30
_DECODE_CASES: tuple[tuple[str, ReadingMethod], ...] = (
    ("decode", _PARALLEL),
    (f"decode {_IN_SEQUENCE.name()}", _IN_SEQUENCE),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of wall and of CPU time, user and system, of all threads."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class SpeedOptions:
    """The options of a run: storage formats, numbers of passages, repetitions, and the Redis URL."""

    cases: Sequence[str]
    storages: Sequence[Storage]
    passages: Sequence[int]
    runs: int
    redis_url: str


def run_speed(lm: LanguageModel, name: str, options: SpeedOptions, report: Report) -> None:
    """Measures every case with one network, called `name` in the report."""
    for count in options.passages:
        texts = passages_of(lm, count)
        plain = _Case(lm, texts)
        base = {
            case: plain.steps(case)
            for case in (_IN_SEQUENCE.name(), "question-only", "cold")
            if case in options.cases
        }
        label = f"{count}x{PASSAGE_TOKENS} {name}"
        floor = _report(report, label, _fastest(base, options.runs), {})
        for storage in options.storages:
            with _stores(lm, texts, storage, options) as cases:
                stored = label if storage == "exact" else f"{label} {storage}"
                _report(report, stored, _fastest(cases, options.runs), floor)
    if "redis" in options.cases and not redis_answers(options.redis_url):
        report.note(name, "redis", f"no Redis answers at {options.redis_url}")
    if "decode" in options.cases:
        _decode(lm, name, options, report)


def passages_of(lm: LanguageModel, count: int, *, tokens: int = PASSAGE_TOKENS) -> list[ContextPassage]:
    """Different passages of Python's reference, each `tokens` long with its frame."""
    with _engine(lm) as engine:
        ids = lm.encode("\n\n".join(document.text for document in python_reference()))
        frame = len(engine._prompt.passage(ContextPassage("", "x"))) - 1
        found: list[ContextPassage] = []
        at = 0
        while len(found) < count:
            size = tokens - frame
            for _ in range(20):  # cutting between tokens may merge or split one
                passage = ContextPassage("", lm.decode(ids[at : at + size]).strip())
                off = tokens - len(engine._prompt.passage(passage))
                if not off:
                    found.append(passage)
                    break
                size += off
            at += tokens
        return found


class _Case:
    """Requests over the same passages through one engine."""

    def __init__(
        self, lm: LanguageModel, texts: Sequence[ContextPassage], store: PrefixStore | None = None
    ) -> None:
        self.store = store or PrefixStore(_BUDGET)
        self.engine = ContextEngine(lm, self.store)
        self.texts = texts
        self.engine.warm(texts[:1], salt=b"another")  # the prefix is read once
        # What is known of a question's passages is kept: each run asks another one.
        self._questions = cycle(QUESTIONS)

    def steps(self, case: str) -> Callable[[], Timing]:
        """One measured request of this case, with what has to be made ready before."""
        if case == _IN_SEQUENCE.name():
            return lambda: self.timed(self.texts, reading=_IN_SEQUENCE)
        if case == "question-only":
            return lambda: self.timed([])
        if case == "cold":
            return lambda: self.timed(self.texts, salt=secrets.token_bytes(8), forget=True)
        raise ValueError(case)

    def timed(
        self,
        texts: Sequence[ContextPassage],
        *,
        reading: ReadingMethod = _PARALLEL,
        salt: bytes = b"",
        forget: bool = False,
    ) -> Timing:
        """A request up to its first token, with a question of its own."""
        question = next(self._questions)
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        generation = self.engine.start(question, texts, reading, writing=Writing(max_tokens=2), salt=salt)
        generation.step()
        timing = Timing((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3)
        generation.close()
        self.store.flush()
        if forget:
            self.store.delete_salt(salt)
        return timing


@contextmanager
def _stores(
    lm: LanguageModel, texts: Sequence[ContextPassage], storage: Storage, options: SpeedOptions
) -> Iterator[dict[str, Callable[[], Timing]]]:
    """The cases that find blocks in a store of this storage."""
    stores: list[PrefixStore] = []

    def case_over(memory: int, disk: Path | None = None, *, redis: RedisTier | None = None) -> _Case:
        stores.append(
            PrefixStore(
                memory, disk, _BUDGET if disk else 0, redis=redis, storage=storage, admission="always"
            )
        )
        case = _Case(lm, texts, stores[-1])
        case.engine.warm(texts)
        stores[-1].flush()
        return case

    cases: dict[str, Callable[[], Timing]] = {}
    with tempfile.TemporaryDirectory(prefix="excerpta-bench-") as folder:
        wanted = set(options.cases)
        if wanted & {"memory", "partial"}:
            memory = case_over(_BUDGET)
            if "memory" in wanted:
                cases["memory"] = lambda: memory.timed(texts)
            if "partial" in wanted:
                cases["partial"] = lambda: _partial(memory)
        if _SUPERPOSITION.name() in wanted:
            paths = case_over(_BUDGET)  # of its own: what is forgotten for "partial" has to be made again
            cases[_SUPERPOSITION.name()] = lambda: paths.timed(texts, reading=_SUPERPOSITION)
        if wanted & {"disk", "disk-cold"}:
            disk = case_over(0, Path(folder))
            if "disk" in wanted:
                cases["disk"] = lambda: disk.timed(texts)
            if "disk-cold" in wanted:
                cases["disk-cold"] = lambda: _disk_cold(disk, Path(folder))
        if "redis" in wanted and redis_answers(options.redis_url):
            tier = RedisTier(
                options.redis_url,
                secret=secrets.token_bytes(32),
                name=f"excerpta-bench-{secrets.token_hex(4)}",
                timeout_s=5,
            )
            shared = case_over(0, redis=tier)
            cases["redis"] = lambda: shared.timed(texts)
        try:
            yield cases
        finally:
            for store in stores:
                for salt in (b"", b"another"):
                    store.delete_salt(salt)
                store.close()


def _partial(case: _Case) -> Timing:
    """All but one of the passages are there."""
    case.engine.forget(case.texts[:1])
    return case.timed(case.texts)


def _disk_cold(case: _Case, folder: Path) -> Timing:
    """The system has forgotten the files' contents."""
    gc.collect()  # pages that are still mapped are kept
    for path in folder.rglob("*.safetensors"):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return case.timed(case.texts)


def _fastest(cases: dict[str, Callable[[], Timing]], runs: int) -> dict[str, Timing]:
    """The best of several runs of each case, in turns, after one that does not count."""
    found: dict[str, list[Timing]] = {name: [] for name in cases}
    for name, step in cases.items():
        if name != _IN_SEQUENCE.name():
            step()
    for _ in range(runs):
        for name, step in cases.items():
            found[name].append(step())
    return {
        name: Timing(min(one.wall for one in timings), min(one.cpu for one in timings))
        for name, timings in found.items()
    }


def _report(
    report: Report, label: str, timings: dict[str, Timing], floor: dict[str, Timing]
) -> dict[str, Timing]:
    known = {**floor, **timings}
    for case, timing in timings.items():
        report.add(label, case, "ttft_ms", timing.wall, "ms")
        report.add(label, case, "ttft_cpu_ms", timing.cpu, "ms")
        if (baseline := known.get(_IN_SEQUENCE.name())) is not None:
            report.add(label, case, "cpu_speedup", baseline.cpu / timing.cpu, f"x {_IN_SEQUENCE.name()}")
        if "question-only" in known:
            report.add(label, case, "cpu_ratio", timing.cpu / known["question-only"].cpu, "x question-only")
    return known


def _decode(lm: LanguageModel, name: str, options: SpeedOptions, report: Report) -> None:
    """Milliseconds a token after the first, by how many passages are read."""
    writing = Writing(max_tokens=_DECODED + 2)
    for count in sorted({0, 1, *options.passages}):
        texts = passages_of(lm, count)
        for case, reading in _DECODE_CASES if count else _DECODE_CASES[:1]:
            with _engine(lm) as engine:
                best = Timing(float("inf"), float("inf"))
                for _ in range(max(2, options.runs // 2)):
                    generation = engine.start(QUESTION, texts, reading, writing=writing)
                    generation.step()
                    wall, cpu = time.perf_counter(), time.process_time()
                    steps = 0
                    while steps < _DECODED and generation.step() is not None:
                        steps += 1
                    best = Timing(
                        min(best.wall, (time.perf_counter() - wall) * 1e3 / max(steps, 1)),
                        min(best.cpu, (time.process_time() - cpu) * 1e3 / max(steps, 1)),
                    )
                    generation.close()
            label = f"{count}x{PASSAGE_TOKENS} {name}"
            report.add(label, case, "decode_ms", best.wall, "ms/token")
            report.add(label, case, "decode_cpu_ms", best.cpu, "ms/token")


@contextmanager
def _engine(lm: LanguageModel) -> Iterator[ContextEngine]:
    store = PrefixStore(_BUDGET)
    try:
        yield ContextEngine(lm, store)
    finally:
        store.close()


def redis_answers(url: str) -> bool:
    """Whether there is a Redis at this address."""
    client = redis.Redis.from_url(url, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
