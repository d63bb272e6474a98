"""Tokens and answers a second when several answers are written at once over passages that are in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from excerpta.types.reading import Ape

from benchmarks.context.first_token import PASSAGE_TOKENS, passages_of
from benchmarks.context.quality import QualityOptions, questions
from benchmarks.report import Report
from context import ContextEngine, ContextPassage, PrefixStore
from context.writing.scheduler import Row, Scheduler
from context.writing.transcript import Writing
from models import LanguageModel

STREAMS = (1, 4, 16)
DRAFTS = (0, 2, 4, 8)
_WRITING = Writing(max_tokens=32)
_QUESTIONS = (
    "What is the difference between a tuple and a list?",
    "What does the nonlocal statement do?",
    "How does string slicing work?",
    "Which operators have the highest precedence?",
)


class _Deaf:
    """An answer listener that does nothing."""

    def began(self, row: Row) -> None:
        """Nothing."""

    def said(self, text: str) -> None:
        """Nothing."""

    def ended(self, error: Exception | None) -> None:
        """Raises the answer's error, if there is one."""
        if error is not None:
            raise error


def run_streams(lm: LanguageModel, name: str, passages: Sequence[int], runs: int, report: Report) -> None:
    """Every number of streams, each with all its passages in the store; the best of several runs."""
    for count in passages:
        texts = passages_of(lm, count)
        store = PrefixStore(8 << 30)
        engine = ContextEngine(lm, store)
        engine.warm(texts)
        label = f"{count}x{PASSAGE_TOKENS} {name}"
        alone = 0.0
        for streams in STREAMS:
            measured = [_measure(engine, texts, streams) for _ in range(runs)]
            per_s, per_cpu_s, answers = (max(column) for column in zip(*measured, strict=True))
            alone = alone or per_cpu_s
            case = f"streams-{streams}"
            report.add(label, case, "streams_tokens_per_s", per_s, "tokens/s")
            report.add(label, case, "streams_tokens_per_cpu_s", per_cpu_s, "tokens/s")
            report.add(label, case, "answers_per_s", answers, "answers/s")
            report.add(label, case, "streams_gain", per_cpu_s / alone, "x one stream, CPU")
        store.close()


def _measure(
    engine: ContextEngine, texts: Sequence[ContextPassage], streams: int
) -> tuple[float, float, float]:
    """Tokens a second and a CPU second while all are being written, and whole answers a second."""
    scheduler = Scheduler(engine.lm)
    began = time.perf_counter()
    for number in range(streams):
        question = _QUESTIONS[number % len(_QUESTIONS)]
        scheduler.join(engine.start(question, texts, Ape(), writing=_WRITING), _Deaf())
    tokens, wall, cpu = scheduler.tokens, time.perf_counter(), time.process_time()
    while scheduler.step():
        pass
    tokens = scheduler.tokens - tokens
    ended = time.perf_counter()
    return tokens / (ended - wall), tokens / (time.process_time() - cpu), streams / (ended - began)


def run_drafts(lm: LanguageModel, data: Path, options: QualityOptions, report: Report) -> None:
    """One answer at a time with and without drafts from its passages; `same` counts equal answers."""
    writing = Writing(max_tokens=options.max_tokens)
    for passages in options.passages:
        asked = list(questions(data, passages, options.queries, options.seed))
        store = PrefixStore(4 << 30)
        engine = ContextEngine(lm, store)
        written: dict[int, list[list[int]]] = {}
        for drafts in DRAFTS:
            tokens = steps = 0
            cpu = 0.0
            for one in asked:
                scheduler = Scheduler(lm, drafts=drafts)
                generation = engine.start(one.question, one.passages, Ape(), writing=writing)
                row = scheduler.join(generation, _Deaf())
                began = time.process_time()
                while scheduler.step():
                    pass
                cpu += time.process_time() - began
                tokens, steps = tokens + scheduler.tokens, steps + scheduler.steps
                written.setdefault(drafts, []).append(row.transcript.ids)
            label, case = f"{data.name}@{passages}", f"drafts-{drafts}"
            same = sum(a == b for a, b in zip(written[0], written[drafts], strict=True))
            report.add(label, case, "tokens_per_pass", tokens / steps, "tokens")
            report.add(label, case, "decode_cpu_ms", cpu / tokens * 1000, "ms/token")
            report.add(label, case, "same", same / len(asked), "of the answers")
        store.close()
