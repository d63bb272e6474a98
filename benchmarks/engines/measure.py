"""Measures one engine in this process; needs numpy alone, for a peer's environment has none of our code.

An engine is a class with `build(directory, passages)`, `open(directory, threads)` and
`search(query, k) -> ids, best first`; `search_many(queries, k)` where it answers batches. The vectors are
read from disk when an engine asks for them: what it keeps of them counts in its peak RSS.
One query is asked first, unmeasured in the times but reported as `first_query_ms`.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


class Passages(Sequence[Float32]):
    """Each passage's vectors (n, d), read from the file whenever they are looked at."""

    def __init__(self, path: Path, lengths: npt.NDArray[np.int64]) -> None:
        mapped: Any = np.load(path, mmap_mode="r")
        self.dim, self.tokens = mapped.shape[1], len(mapped)
        self._offset: int = mapped.offset
        self._ends = np.cumsum(lengths)
        self._lengths = lengths
        self._file = path.open("rb")

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        length = int(self._lengths[at])
        start = int(self._ends[at]) - length
        self._file.seek(self._offset + start * self.dim * 4)
        return np.fromfile(self._file, np.float32, length * self.dim).reshape(length, self.dim)


class Engine(Protocol):
    """The interface of an engine's script."""

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes the index of the passages, (n, d) unit vectors each, into an empty directory."""

    def open(self, directory: Path, threads: int) -> None:
        """Makes ready to search what `build` wrote."""

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """The `k` best passages of one query (q, d), best first."""


def main(engine_class: type[Any]) -> None:
    """Reads the command line, measures, writes one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path, help="holds tokens, lengths, queries and query_lengths (.npy)")
    parser.add_argument("index", type=Path, help="the index; built when the directory is not there")
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1, help="threads inside the engine")
    parser.add_argument("--callers", type=int, default=1, help="threads that share out the batch")
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="a setting")
    options = parser.parse_args()
    settings = {name: json.loads(value) for name, value in (item.split("=", 1) for item in options.set)}
    engine = engine_class(**settings)
    queries = _split(np.load(options.work / "queries.npy"), np.load(options.work / "query_lengths.npy"))
    result: dict[str, object] = {}
    if not options.index.exists():
        result |= _build(engine, options.index, options.work)
    engine.open(options.index, options.threads)
    result |= _ask(engine, queries, options.depth)
    result["qps"] = _throughput(engine, queries, options.depth, options.callers)
    result["peak_rss_mb"] = _peak_rss_mb()
    options.out.write_text(json.dumps(result))


def cpu_seconds() -> float:
    """User and system seconds of all threads, and of processes this one waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _peak_rss_mb() -> float:
    """The most memory that this program had. Linux's ru_maxrss also counts what started it, before it ran."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes


def _build(engine: Engine, directory: Path, work: Path) -> dict[str, object]:
    passages = Passages(work / "tokens.npy", np.load(work / "lengths.npy"))
    directory.mkdir(parents=True)
    cpu, wall = cpu_seconds(), time.perf_counter()
    engine.build(directory, passages)
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return {"build_cpu_s": cpu, "build_s": wall, "bytes_per_token": size / passages.tokens}


def _ask(engine: Engine, queries: list[Float32], depth: int) -> dict[str, object]:
    """One query at a time."""
    started = time.perf_counter()
    engine.search(queries[0], depth)
    first = time.perf_counter() - started
    found, walls = [], []
    cpu = cpu_seconds()
    for query in queries:
        started = time.perf_counter()
        found.append(engine.search(query, depth))
        walls.append(time.perf_counter() - started)
    cpu = cpu_seconds() - cpu
    p50, p95 = np.percentile(walls, [50, 95]) * 1e3
    return {
        "query_ms_p50": p50,
        "query_ms_p95": p95,
        "query_cpu_ms": cpu / len(queries) * 1e3,
        "first_query_ms": first * 1e3,
        "found": [[int(number) for number in ids] for ids in found],
    }


def _throughput(engine: Any, queries: list[Float32], depth: int, callers: int) -> float:
    """Queries a second, all handed over at once, shared out among threads that ask."""
    shares = [queries[number::callers] for number in range(callers)]
    started = time.perf_counter()
    if callers == 1:
        # In this thread: xtr-warp-rs's index may be used by no other than the one that opened it.
        _many(engine, queries, depth)
    else:
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(lambda share: _many(engine, share, depth), shares))
    return len(queries) / (time.perf_counter() - started)


def _many(engine: Any, queries: list[Float32], depth: int) -> None:
    if hasattr(engine, "search_many"):
        engine.search_many(queries, depth)
    else:
        for query in queries:
            engine.search(query, depth)


def _split(vectors: Float32, lengths: npt.NDArray[np.int64]) -> list[Float32]:
    ends = np.cumsum(lengths)
    # Plain views: the memmap subclass is slow to slice.
    rows = np.asarray(vectors)
    return [rows[end - length : end] for end, length in zip(ends, lengths, strict=True)]
