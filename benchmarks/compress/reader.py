"""A reader: answers questions from shortened passages."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.compress.data import Question
from benchmarks.context.quality import Written, f1
from context import READINGS, ContextEngine, ContextPassage, PrefixStore
from context.writing.generation import Generation
from context.writing.scheduler import Scheduler
from context.writing.transcript import Writing
from models import LanguageModel

TOKENS = 24


class Reader:
    """The profile's language model with the default reading; answers have at most 24 tokens."""

    def __init__(self, lm: LanguageModel) -> None:
        self._lm = lm

    def f1(self, one: Question, texts: Sequence[str]) -> float:
        """F1 of the words of the answer written from these texts, against the nearest known answer."""
        store = PrefixStore(1 << 30)
        engine, scheduler, answer = ContextEngine(self._lm, store), Scheduler(self._lm), Written()
        passages = [
            ContextPassage(title, text) for title, text in zip(one.titles, texts, strict=True) if text
        ]
        writing = Writing(max_tokens=TOKENS)
        run = engine.start(one.query, passages, READINGS.resolve({}), writing=writing)
        prompt, _ = run.hand_over()
        scheduler.join(Generation(self._lm, prompt, writing), answer)
        while scheduler.step():
            pass
        store.close()
        return max(f1(answer.text, known) for known in one.answers)
