"""Builds the n-gram index, and measures its size and its lookups by the n-gram's length."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.engines.measure import cpu_seconds
from benchmarks.report import Report
from retrieval.ngrams import NgramIndex
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.types import Tokens

Patterns = Mapping[int, Sequence[tuple[int, ...]]]
"""N-grams by their length."""
CASE = "excerpta"
_MOST_LOCATED = 1500


def build(
    directory: Path, passages: Sequence[Tokens], vocabulary_size: int, name: str, report: Report
) -> NgramIndex:
    """Builds the index in an empty directory; adds what that took and bytes a token.

    `search_bytes_per_token` leaves out the character offsets, which only matches of hits read.
    """
    wall, cpu = time.perf_counter(), cpu_seconds()
    NgramIndex.build(directory, passages, vocabulary_size=vocabulary_size)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    index = NgramIndex.open(directory)
    sizes = {path.name: path.stat().st_size for path in directory.iterdir()}
    report.add(name, CASE, "build_s", wall, "s")
    report.add(name, CASE, "build_cpu_s", cpu, "s")
    report.add(name, CASE, "bytes_per_token", sum(sizes.values()) / index.tokens, "B")
    searched = sum(sizes.values()) - sizes["offsets.npy"]
    report.add(name, CASE, "search_bytes_per_token", searched / index.tokens, "B")
    return index


def look_up(index: NgramIndex, patterns: Patterns, name: str, report: Report) -> dict[int, list[int]]:
    """Adds the means of find and next-set by length, and of locate; returns the counts by length.

    Times are CPU time: one thread looks up, and the machine may be busy.
    """
    corpus = NgramCorpus([index], [0])
    counts: dict[int, list[int]] = {}
    located, seconds = 0, 0.0
    for length, wanted in patterns.items():
        began = time.process_time()
        found = [corpus.find(ids) for ids in wanted]
        report.add(name, CASE, f"find_us_{length}", _microseconds(began, len(wanted)), "us")
        began = time.process_time()
        for one in found:
            index.children(*one.rows[0], one.depth)
        report.add(name, CASE, f"next_set_us_{length}", _microseconds(began, len(wanted)), "us")
        counts[length] = [one.count for one in found]
        rare = [one for one in found if one.count <= _MOST_LOCATED]
        began = time.process_time()
        located += sum(len(corpus.locate(one)[0]) for one in rare)
        seconds += time.process_time() - began
    report.add(name, CASE, "locate_us", seconds / max(1, located) * 1e6, "us/place")
    return counts


def _microseconds(began: float, times: int) -> float:
    return (time.process_time() - began) / max(1, times) * 1e6
