"""Whole questions: time by beams, forward calls of the language model, and the index's share of a step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.engines.measure import cpu_seconds
from benchmarks.report import Report
from models.networks.ngram_writer import NgramWriter
from retrieval.ngrams import LanguageVocabulary, NgramIndex, search_ngrams
from retrieval.ngrams.beam import generate
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.language_tree import Tree
from retrieval.ngrams.prompt import read_question, writer

LIMIT = 100


@dataclass(slots=True)
class Calls:
    """Forward calls of a network."""

    count: int = 0


@contextmanager
def counted(model: Any) -> Iterator[Calls]:
    """Counts the network's forward calls."""
    calls = Calls()

    def count(*_: object) -> None:
        calls.count += 1

    hook = model.register_forward_pre_hook(count)
    try:
        yield calls
    finally:
        hook.remove()


class _TimedTree:
    """A tree that measures the language model's part of the steps."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.steps = 0
        self.cpu = 0.0

    @property
    def root(self) -> NDArray[np.float32]:
        return self._tree.root

    @property
    def size(self) -> int:
        return self._tree.size

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> tuple[range, NDArray[np.float32]]:
        cpu = cpu_seconds()
        grown = self._tree.grow(parents, tokens)
        self.cpu += cpu_seconds() - cpu
        self.steps += 1
        return grown


@dataclass(frozen=True, slots=True)
class Asking:
    """Who writes, for which questions, over which index."""

    writer: NgramWriter
    vocabulary: LanguageVocabulary
    index: NgramIndex
    questions: Sequence[str]
    length: int

    def ask(self, beams: int, name: str, report: Report) -> None:
        """Adds a row for this many beams; the index's share counts everything but the model as its own."""
        case = f"beams@{beams}"
        # What a model computes once is no part of any question.
        writer(self.writer.lm, examples=self.writer.examples)
        walls = []
        with counted(self.writer.lm.model) as calls:
            cpu = cpu_seconds()
            for question in self.questions:
                began = time.perf_counter()
                self._search(question, beams)
                walls.append(time.perf_counter() - began)
            cpu = cpu_seconds() - cpu
        asked = len(self.questions)
        report.add(name, case, "query_ms_p50", float(np.median(walls)) * 1e3, "ms")
        report.add(name, case, "query_cpu_ms", cpu / asked * 1e3, "ms")
        report.add(name, case, "forward_passes", calls.count / asked, "calls/query")
        self._step(beams, name, case, report)

    def _search(self, question: str, beams: int) -> None:
        search_ngrams(
            self.writer.lm,
            self.vocabulary,
            [self.index],
            [0],
            question,
            limit=LIMIT,
            beams=beams,
            length=self.length,
            examples=self.writer.examples,
        )

    def _step(self, beams: int, name: str, case: str, report: Report) -> None:
        lm, examples = self.writer.lm, self.writer.examples
        corpus = NgramCorpus([self.index], [0])
        written = steps = 0
        model = whole = 0.0
        for question in self.questions:
            tree = _TimedTree(read_question(lm, question, most_depth=self.length, examples=examples))
            cpu = cpu_seconds()
            openers = writer(lm, examples=examples).openers
            met = generate(tree, corpus, beams=beams, length=self.length, openers=openers)
            whole += cpu_seconds() - cpu
            written, steps, model = written + len(met), steps + tree.steps, model + tree.cpu
        report.add(name, case, "step_cpu_ms", model / max(1, steps) * 1e3, "ms/step")
        report.add(name, case, "index_step_cpu_ms", (whole - model) / max(1, steps) * 1e3, "ms/step")
        report.add(name, case, "index_share", (whole - model) / whole, "of generating")
        report.add(name, case, "written", written / len(self.questions), "n-grams/query")
