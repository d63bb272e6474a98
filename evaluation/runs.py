"""Asks all questions of a set and gathers the rankings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from evaluation.beir import DataSet
from evaluation.measures import MEASURES, scores


@dataclass(frozen=True, slots=True)
class Ranked:
    """The documents found for one question, best first, and the milliseconds of each stage."""

    documents: list[str]
    timings_ms: Mapping[str, float] = field(default_factory=dict)


class Searches(Protocol):
    """What is evaluated: a question in, ranked documents out."""

    async def search(self, question: str) -> Ranked:
        """The ranking of one question."""


@dataclass(frozen=True, slots=True)
class Run:
    """One set's rankings by query, and the cost of each query; CPU time is this process's, all threads."""

    data: DataSet
    ranked: dict[str, Ranked] = field(default_factory=dict)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def scores(self, measures: Iterable[str] = tuple(MEASURES)) -> dict[str, float]:
        """The mean of each measure. Raises MeasuresMissing."""
        found = {query: one.documents for query, one in self.ranked.items()}
        return scores(self.data.qrels, found, measures)

    def stage_ms(self) -> dict[str, float]:
        """The median milliseconds of each stage that ran."""
        stages: dict[str, list[float]] = {}
        for one in self.ranked.values():
            for stage, milliseconds in one.timings_ms.items():
                stages.setdefault(stage, []).append(milliseconds)
        return {stage: statistics.median(times) for stage, times in stages.items()}


async def run(data: DataSet, searches: Searches, *, progress: Callable[[], None] = lambda: None) -> Run:
    """Asks every question, one after the other; `progress` is called after each."""
    done = Run(data)
    for query, text in data.queries.items():
        cpu, began = time.process_time(), time.perf_counter()
        done.ranked[query] = await searches.search(text)
        done.wall_ms.append((time.perf_counter() - began) * 1000)
        done.cpu_ms.append((time.process_time() - cpu) * 1000)
        progress()
    return done


def best_first(documents: Iterable[str]) -> list[str]:
    """Each document at the place of its best passage.

    >>> best_first(["a", "b", "a", "c"])
    ['a', 'b', 'c']
    """
    return list(dict.fromkeys(documents))
