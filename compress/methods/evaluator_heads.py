"""EHPC: keeps the words that evaluator heads look at while the model reads the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from excerpta.types.compress import EvaluatorHeads

from base.errors import InputTooLong
from base.methods import Method
from base.text.words import words
from compress.base import Floats, ScoredWords
from compress.pilot import BEFORE, Evaluators, evaluators_of
from compress.pooling import pool, word_probabilities
from models import LanguageModel
from models.attention.maps import attention_maps
from models.executor import breathe

LONGEST = 2048
"""Tokens of a prompt: attention costs their square, and texts beyond it go into the next prompt."""

_LEAST = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one text's tokens, from `start` to `end`."""

    text: int
    start: int
    end: int


class HeadsScorer:
    """Compression by evaluator heads (EHPC, Fei et al. 2025).

    The score of a token is the attention that the evaluator heads pay to it, averaged over the heads and over
    all tokens of the question, and over the `window` tokens around it. (The paper averages over the last
    token alone; on questions about passages all tokens keep more answers.) A word's is the mean over its
    tokens. Layers behind that of the heads are not run. Texts share prompts of up to 2,048 tokens.
    """

    def __init__(self, lm: LanguageModel, folder: Path) -> None:
        self._lm, self._folder = lm, folder

    @cached_property
    def evaluators(self) -> Evaluators:
        """The model's evaluator heads, by the pilot at the first use."""
        return evaluators_of(self._lm, self._folder)

    def score(
        self, query: str, texts: Sequence[str], options: EvaluatorHeads, *, rate: float
    ) -> Sequence[ScoredWords]:
        """The words of each text by the attention of the question; all 0 without one. Raises InputTooLong."""
        tokens = self._lm.tokenize(texts)
        weights = [np.zeros(len(one.ids)) for one in tokens]
        if query.strip():
            question, before = self._lm.encode(f"\nQuestion: {query.strip()}"), self._lm.encode(BEFORE)
            room = min(self._lm.max_positions, LONGEST) - len(question) - len(before)
            if room < _LEAST:
                raise InputTooLong("the question", len(question), LONGEST - _LEAST - len(before))
            for prompt in prompts_of([len(one.ids) for one in tokens], room):
                breathe()
                ids = [
                    token for one in prompt for token in tokens[one.text].ids[one.start : one.end].tolist()
                ]
                seen, at = self._attention(before, ids, question, options.heads), 0
                for one in prompt:
                    weights[one.text][one.start : one.end] = seen[at : at + one.end - one.start]
                    at += one.end - one.start
        scored = []
        for text, read, weight in zip(texts, tokens, weights, strict=True):
            spans = words(text)
            pooled = pool(weight, options.window)
            scored.append(ScoredWords(spans, word_probabilities(spans, read.offsets, pooled)))
        return scored

    def _attention(
        self, before: Sequence[int], ids: Sequence[int], question: Sequence[int], heads: int
    ) -> Floats:
        """The attention (n,) on each of the tokens `ids`, in one call that ends at the heads' layer."""
        found = self.evaluators
        start, end = len(before), len(before) + len(ids)
        maps = attention_maps(
            self._lm,
            [*before, *ids, *question],
            layers=[found.layer],
            heads=sorted(found.heads[:heads]),
            rows=range(end, end + len(question)),
            reduce=_mean_of(start, end),
        )
        weights: Floats = maps.weights[0].double().cpu().numpy()
        return weights


def _mean_of(start: int, end: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda weights: weights[:, :, start:end].mean(dim=(0, 1))


def prompts_of(lengths: Sequence[int], room: int) -> list[list[Piece]]:
    """The texts' tokens in prompts of at most `room`, in order; a longer text is cut into even pieces.

    >>> [[(one.text, one.start, one.end) for one in prompt] for prompt in prompts_of([3, 2, 7], 5)]
    [[(0, 0, 3), (1, 0, 2)], [(2, 0, 4)], [(2, 4, 7)]]
    """
    prompts: list[list[Piece]] = []
    left = 0
    for text, length in enumerate(lengths):
        pieces = -(-length // room)
        cuts = [-(-length * at // pieces) for at in range(pieces + 1)] if pieces else []
        for start, end in pairwise(cuts):
            if end - start > left:
                prompts.append([])
                left = room
            prompts[-1].append(Piece(text, start, end))
            left -= end - start
    return prompts


METHOD = Method(
    EvaluatorHeads,
    lambda networks: HeadsScorer(networks.lm, networks.calibrations),
    frozenset({"lm"}),
)
