"""Token retrieval beside its peers: time, CPU time, size, memory, and recall of exact MaxSim's answers.

Every case runs in two processes of its own: one builds the index and asks with one thread, one opens it
and asks with two. Synthetic vectors without `--data`; with it, the sets' passages and questions encoded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.tokens.data import DEPTH, TokenData, prepare
from evaluation.measures import scores
from evaluation.runs import best_first

ROOT = Path(__file__).resolve().parents[2]
_UNITS = {
    "build_cpu_s": "s",
    "build_s": "s",
    "bytes_per_token": "B",
    "query_ms_p50": "ms",
    "query_ms_p95": "ms",
    "query_cpu_ms": "ms",
    "first_query_ms": "ms",
    "peak_rss_mb": "MB",
    "qps": "queries/s",
}
# Not LANCE_IO_THREADS nor TOKIO_WORKER_THREADS: with one of each LanceDB did not come to an end.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "LANCE_CPU_THREADS",
)


@dataclass(frozen=True, slots=True)
class Case:
    """An engine's script with settings; `callers` if several threads ask it, not threads inside it."""

    script: str
    settings: dict[str, Any] = field(default_factory=dict)
    peer: bool = True
    callers: bool = False


CASES = {
    # Both with the depths that the service takes where none are asked for.
    "excerpta": Case("excerpta", {"refine": 0}, peer=False, callers=True),
    "excerpta-refine": Case("excerpta", {}, peer=False, callers=True),
    "torch": Case("torch", peer=False),
    "xtr-warp-rs": Case("xtr_warp"),
    "fast-plaid": Case("fast_plaid"),
    "pylate": Case("pylate"),
    "lancedb": Case("lancedb"),
}


class CaseFailed(Exception):
    """The engine failed. The message has the reason in one line."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--passages", default="5000", help="sizes of synthetic sets, comma-separated")
    parser.add_argument("--dim", type=int, default=128, help="dimensions of synthetic vectors")
    parser.add_argument("--profile", default="compact", help="whose encoder reads --data (%(default)s)")
    parser.add_argument("--work", type=Path, help="keep vectors and exact answers here; default: temporary")
    parser.add_argument("--models", type=Path, help="where converted models are kept; default: in --work")
    parser.add_argument("--passage-tokens", type=int, default=200)
    parser.add_argument("--limit", type=float, default=900, help="wall seconds for each process of a case")
    parser.add_argument("--peers", type=Path, default=ROOT / ".peers", help="where `make peers` put them")
    parser.add_argument(
        "--set", action="append", default=[], metavar="CASE.NAME=JSON", help="another setting, as k_tokens"
    )


def run(options: argparse.Namespace, report: Report) -> None:
    """Runs every case on every set. A case that cannot be run gets a row with the reason."""
    names = options.cases.split(",") if options.cases else list(CASES)
    unknown = {*names, *(item.partition(".")[0] for item in options.set)} - set(CASES)
    if unknown:
        raise SystemExit(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    # Else a stopped run would leave its engine running: it is in a session of its own.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with TemporaryDirectory(prefix="excerpta-bench-") as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for data in prepare(options, work):
            for name in names:
                try:
                    _measure(name, data, options, report)
                except CaseFailed as failure:
                    report.note(data.name, name, str(failure))


def _measure(name: str, data: TokenData, options: argparse.Namespace, report: Report) -> None:
    case = CASES[name]
    python = Path(sys.executable) if not case.peer else options.peers / name / "bin" / "python"
    if not python.exists():
        raise CaseFailed("not installed: run make peers")
    prefix = f"{name}."
    settings = [f"{key}={json.dumps(value)}" for key, value in case.settings.items()]
    settings += [item.removeprefix(prefix) for item in options.set if item.startswith(prefix)]
    with TemporaryDirectory(dir=data.directory, prefix="index-") as room:
        command = [python, ROOT / "benchmarks" / "engines" / f"{case.script}_engine.py"]
        command += [data.directory, Path(room) / "index"]
        arguments = [f"--depth={DEPTH}", *(f"--set={setting}" for setting in settings)]
        one = _process(command, arguments, Path(room), threads=1, callers=1, limit=options.limit)
        threads, callers = (1, 2) if case.callers else (2, 1)
        two = _process(command, arguments, Path(room), threads=threads, callers=callers, limit=options.limit)
        shutil.rmtree(Path(room) / "index")
    found = one.pop("found")
    for metric, value in one.items():
        report.add(data.name, name, metric, value, _UNITS[metric])
    report.add(data.name, name, "qps_2", two["qps"], "queries/s")
    # Searching alone, without what the build took.
    report.add(data.name, name, "search_rss_mb", two["peak_rss_mb"], "MB")
    _quality(name, data, found, report)


def _process(
    command: list[Path], arguments: list[str], room: Path, *, threads: int, callers: int, limit: float
) -> dict[str, Any]:
    """Runs the engine's script to its end. Raises CaseFailed with the last line that it wrote."""
    out = room / "result.json"
    out.unlink(missing_ok=True)
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    environment |= {"OMP_WAIT_POLICY": "passive", "TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    # A machine's GPU is not what is compared here.
    environment |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    arguments = [*map(str, command), str(out), f"--threads={threads}", f"--callers={callers}", *arguments]
    with (room / "log").open("w+b") as log:
        process = subprocess.Popen(
            arguments, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise CaseFailed(f"stopped after {limit:.0f} s") from None
        finally:
            # Also what the engine started itself, and what an interrupt would leave running.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        log.seek(0)
        lines = log.read().decode(errors="replace").split("\n")
    if status or not out.exists():
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        raise CaseFailed(f"failed with status {status}: {last[:200]}")
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def _quality(name: str, data: TokenData, found: list[list[int]], report: Report) -> None:
    for depth in (10, 100):
        report.add(data.name, name, f"recall@{depth}", _share(data.exact, found, depth, depth))
    report.add(data.name, name, "top10_in_100", _share(data.exact, found, 10, 100))
    queries = iter(found)
    for one in data.sets:
        ranked = {
            query: best_first(data.documents[number] for number in next(queries)) for query in one.queries
        }
        report.add(one.name, name, "ndcg@10", scores(one.qrels, ranked, ["ndcg@10"])["ndcg@10"])


def _share(exact: Any, found: list[list[int]], wanted: int, depth: int) -> float:
    """The mean share of the first `wanted` exact answers that are among the first `depth` found."""
    shares = []
    for right, ids in zip(exact[:, :wanted], found, strict=True):
        there = right[right >= 0]
        shares.append(np.isin(there, ids[:depth]).mean())
    return float(np.mean(shares))
