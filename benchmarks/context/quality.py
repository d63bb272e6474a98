"""Answer quality by reading: likelihood of the known answer, exact match, F1.

Prompts have one passage that holds the answer, at a random place among others of the same collection.
`nq/multidoc.jsonl` names the others; in other sets they are the passages most like the question by BM25.
"""

from __future__ import annotations

import json
import random
import re
import string
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
from excerpta.types.reading import ReadingMethod

from benchmarks.report import Report
from context import READINGS, ContextEngine, ContextPassage, PrefixStore
from context.writing.generation import Generation, ReadPrompt
from context.writing.likelihood import answer_log_likelihoods
from context.writing.scheduler import Row, Scheduler
from context.writing.transcript import Writing
from evaluation.beir import judgments, rows
from models.networks.language_model import LanguageModel

QUALITY_CASES = tuple(READINGS)
_UNITS = {"answer_nll": "nats/token", "ttft_cpu_ms": "ms"}
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class QualityOptions:
    """The options of a run: readings, optionally with options ("guard+keep=2"), and the sample."""

    cases: Sequence[str]
    queries: int
    passages: Sequence[int]
    max_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its passages, and the accepted answers."""

    question: str
    passages: tuple[ContextPassage, ...]
    answers: tuple[str, ...]


class Written:
    """Gathers one answer."""

    def __init__(self) -> None:
        self.text = ""

    def began(self, row: Row) -> None:
        pass

    def said(self, text: str) -> None:
        self.text += text

    def ended(self, error: Exception | None) -> None:
        if error is not None:
            raise error


def run_quality(lm: LanguageModel, data: Path, options: QualityOptions, report: Report) -> None:
    """Adds `answer_nll`, `f1`, `exact_match`, `contains` and `ttft_cpu_ms` for every case and length.

    The passages' blocks are in memory before the first case.

    An interrupt ends the sample early.
    """
    for passages in options.passages:
        name = f"{data.name}@{passages}"
        found: dict[str, list[dict[str, float]]] = {case: [] for case in options.cases}
        with suppress(KeyboardInterrupt):  # what was measured until then counts
            for asked in questions(data, passages, options.queries, options.seed):
                for case, values in zip(options.cases, _measure(lm, asked, options), strict=True):
                    found[case].append(values)
        for case, measured in found.items():
            report.add(name, case, "questions", len(measured))
            for metric in measured[0] if measured else ():
                mean = sum(row[metric] for row in measured) / len(measured)
                report.add(name, case, metric, mean, _UNITS.get(metric, ""))


def _measure(lm: LanguageModel, asked: Asked, options: QualityOptions) -> list[dict[str, float]]:
    """All cases on one question; their answers are written together, a row of one batch each."""
    store = PrefixStore(1 << 30)
    engine, scheduler = ContextEngine(lm, store), Scheduler(lm)
    engine.warm(asked.passages)
    measured, answers = [], []
    writing = Writing(max_tokens=max(1, options.max_tokens))
    for case in options.cases:
        began = time.process_time()
        run = engine.start(asked.question, asked.passages, reading_of(case), writing=writing)
        values = {"ttft_cpu_ms": (time.process_time() - began) * 1000}
        prompt, _ = run.hand_over()
        values["answer_nll"] = min(answer_nll(lm, prompt, answer) for answer in asked.answers)
        measured.append(values)
        if options.max_tokens:
            answers.append(Written())
            scheduler.join(Generation(lm, prompt, writing), answers[-1])
    while scheduler.step():
        pass
    store.close()
    for values, answer in zip(measured, answers, strict=False):
        values["f1"] = max(f1(answer.text, one) for one in asked.answers)
        values["exact_match"] = float(any(words(answer.text) == words(one) for one in asked.answers))
        values["contains"] = float(any(_holds(answer.text, one) for one in asked.answers))
    return measured


def reading_of(case: str) -> ReadingMethod:
    """The reading that a case names, with its options.

    >>> reading_of("guard+keep=2").keep
    2
    """
    method, *changes = case.split("+")
    options = {name: json.loads(value) for name, value in (change.split("=") for change in changes)}
    return READINGS.resolve({"method": method, **options})


def answer_nll(lm: LanguageModel, prompt: ReadPrompt, answer: str) -> float:
    """-log p a token of `answer` as the beginning of the reply; the prompt stays as it was."""
    log_p = answer_log_likelihoods(lm, prompt, lm.encode(answer))
    return -sum(log_p) / len(log_p)


def words(text: str) -> list[str]:
    """The words as SQuAD compares them: without case, articles and punctuation."""
    plain = "".join(character for character in text.lower() if character not in string.punctuation)
    return _ARTICLES.sub(" ", plain).split()


def f1(text: str, answer: str) -> float:
    """The harmonic mean of precision and recall of the words.

    >>> round(f1("It is the red house.", "red house"), 3)
    0.667
    """
    got, wanted = words(text), words(answer)
    common = sum((Counter(got) & Counter(wanted)).values())
    return 2 * common / (len(got) + len(wanted)) if common else 0.0


def _holds(text: str, answer: str) -> bool:
    return f" {' '.join(words(answer))} " in f" {' '.join(words(text))} "


def questions(data: Path, passages: int, count: int, seed: int) -> Iterator[Asked]:
    """A seeded sample; the passage with the answer stands at a random place."""
    corpus = {
        row["_id"]: ContextPassage(row.get("title", ""), row["text"]) for row in rows(data / "corpus.jsonl")
    }
    draw = random.Random(seed)
    listed = data / "multidoc.jsonl"
    asked = list(rows(listed)) if listed.exists() else list(_with_distractors(data, corpus, passages))
    for row in draw.sample(asked, min(count, len(asked))):
        ids = list(row["distractors"][: passages - 1])
        ids.insert(draw.randrange(len(ids) + 1), row["gold"])
        yield Asked(row["question"], tuple(corpus[one] for one in ids), tuple(row["answers"]))


def _with_distractors(
    data: Path, corpus: dict[str, ContextPassage], passages: int
) -> Iterator[dict[str, Any]]:
    """Answerable questions of the evaluation half, with the passages that BM25 finds first."""
    split = data / "qrels" / "eval_half.tsv"
    gold = {query: list(documents)[-1] for query, documents in judgments(split).items()}
    ids = list(corpus)
    index = bm25s.BM25()
    texts = [f"{one.title} {one.text}" for one in corpus.values()]
    index.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    asked = [row for row in rows(data / "queries.jsonl") if row["_id"] in gold and row.get("answers")]
    tokens = bm25s.tokenize([row["text"] for row in asked], stopwords="en", show_progress=False)
    found, _ = index.retrieve(tokens, k=min(passages, len(ids)), show_progress=False)
    for row, numbers in zip(asked, found, strict=True):
        right = gold[row["_id"]]
        others = [ids[number] for number in numbers.tolist() if ids[number] != right]
        yield {"question": row["text"], "answers": row["answers"], "gold": right, "distractors": others}
