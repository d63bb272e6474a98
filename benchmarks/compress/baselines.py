"""What every scorer must beat: random words, random spans, the first words. And a scorer that remembers."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from excerpta.types.compress import CompressMethod

from base.text.words import words
from compress import AnyScorer, ScoredWords

SPAN = 9
BASELINES = ("random", "random-spans", "first-words")


class BaselineScorer:
    """Keeps random words, random spans of nine words, or the first words of each text."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed

    def score(
        self, query: str, texts: Sequence[str], options: CompressMethod, *, rate: float
    ) -> list[ScoredWords]:
        """Scores drawn from the seed, one a word or one a span; falling with the place for first words."""
        rng = np.random.default_rng(self._seed)
        scored = []
        for text in texts:
            spans = words(text)
            places = np.arange(len(spans))
            if self._kind == "first-words":
                scores = -places / max(len(spans), 1)
            elif self._kind == "random":
                scores = rng.random(len(spans))
            else:
                scores = rng.random(len(spans) // SPAN + 1)[places // SPAN]
            scored.append(ScoredWords(spans, scores))
        return scored


class Remembering:
    """A scorer whose scores of the last texts serve every rate. `cpu_s` is what they cost."""

    def __init__(self, scorer: AnyScorer) -> None:
        self._scorer = scorer
        self._asked: tuple[str, tuple[str, ...]] | None = None
        self._found: list[ScoredWords] = []
        self.cpu_s = 0.0
        self.reused_s = 0.0

    def score(
        self, query: str, texts: Sequence[str], options: CompressMethod, *, rate: float
    ) -> list[ScoredWords]:
        """The scores of the scorer; no scorer of this package reads the rate."""
        self.reused_s = self.cpu_s
        if self._asked != (query, tuple(texts)):
            began = time.process_time()
            self._found = list(self._scorer.score(query, texts, options, rate=rate))
            self._asked, self.reused_s = (query, tuple(texts)), 0.0
            self.cpu_s = time.process_time() - began
        return self._found
