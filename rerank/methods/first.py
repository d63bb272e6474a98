"""FIRST: a listwise ranking read off the logits of one token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from excerpta.types.rerank import First
from numpy.typing import NDArray

from base.errors import InputTooLong
from base.methods import Method
from models.networks.likelihood import common_prefix
from rerank.base import Passages, Ranking
from rerank.fit import fair_cap
from rerank.letters import letter_ids, listwise_messages, one_line
from rerank.network import LetterNetwork, cut_to_tokens, require_finite
from rerank.prompts import ListwisePrompt, listwise_prompt
from rerank.windows import fitting, orders_of, slide

_WORTH_SHARING = 0.5
"""The part of a prompt that two must begin with alike to be read as branches of it."""


@dataclass(slots=True)
class Cost:
    """What a ranking read: forward passes, tokens, and the most passages that a prompt had to cut."""

    passes: int = 0
    tokens: int = 0
    cut: int = 0


class FirstReranker:
    """Ranks up to 20 passages with one forward pass and no decoding (Gangi Reddy et al. 2024).

    The passages stand in one prompt as [A] to [T]; the answer is opened with `[`, and the logits of the
    letters at that place, sorted, are the ranking. More passages go through windows of `window` with
    `stride`, back to front. Scores are the softmax over the letters of the last window that held a
    passage: between two windows they cannot be compared, `order` can.

    The letters have to be trained. Untrained, a 135M model (SmolLM2-135M-Instruct) answers "A" for 40 of
    40 lists and ranks at chance: MRR .21 over 10 shuffled passages, where random order has .29.
    """

    def __init__(self, lm: LetterNetwork, prompt: ListwisePrompt | None = None) -> None:
        self._lm = lm
        self._prompt = prompt or listwise_prompt("first")
        self._letters = letter_ids(lm, self._prompt)

    def rank(self, query: str, passages: Passages, options: First) -> Ranking:
        """Ranks the passages for `query`; one passage or none needs no forward pass."""
        texts = passages.texts
        if len(texts) < 2:
            return Ranking(np.arange(len(texts), dtype=np.int64), np.ones(len(texts)), 0, 0)
        lines = [one_line(text, options.passage_words) for text in texts]
        asked = [query, self._prompt.neutral] if options.calibrate else [query]
        cost = Cost()

        def score(items: NDArray[np.int64]) -> NDArray[np.float64]:
            window = [lines[item] for item in items]
            read = [
                self._letter_scores(asked, window, order, cost) for order in orders_of(len(items), orders)
            ]
            return _softmax(np.mean(read, axis=0))

        orders = options.orders
        lengths = [len(tokens.ids) for tokens in self._lm.tokenize(lines)]
        size, stride = fitting(lengths, options.window, options.stride, options.window_tokens)
        order, scores, _ = slide(len(texts), size, stride, score)
        return Ranking(order, scores, cost.passes, cost.tokens, cost.cut)

    def window_prompt(self, query: str, lines: Sequence[str]) -> list[int]:
        """The token ids of one window; only passages are cut, until it fits the model's positions."""
        return self._chat(query, self._fitted(query, lines))

    def _letter_scores(
        self, asked: Sequence[str], lines: Sequence[str], order: NDArray[np.int64], cost: Cost
    ) -> NDArray[np.float64]:
        """Log-probabilities (k,) of the lines, read in `order`; a second question's are taken off."""
        shown = [lines[at] for at in order]
        for question in asked:
            shown = self._fitted(question, shown)
        cost.cut = max(cost.cut, sum(short != lines[at] for short, at in zip(shown, order, strict=True)))
        logits = self._logits([self._chat(question, shown) for question in asked], len(lines), cost)
        found = logits[0] if len(asked) == 1 else logits[0] - logits[1]
        scores = np.empty(len(lines), np.float64)
        scores[order] = found - np.logaddexp.reduce(found)
        return scores

    def _logits(self, prompts: Sequence[list[int]], count: int, cost: Cost) -> NDArray[np.float64]:
        """Letter logits (prompts, count); what they all begin with is read once where it is most of them."""
        shared = min(common_prefix(prompts), min(map(len, prompts)) - 1) if len(prompts) > 1 else 0
        if shared < _WORTH_SHARING * max(map(len, prompts)):
            shared = 0
        cost.passes += len(prompts) if not shared else 2
        cost.tokens += shared + sum(len(prompt) - shared for prompt in prompts)
        branches = [prompt[shared:] for prompt in prompts]
        logits = self._lm.branch_logits(prompts[0][:shared], branches, self._letters[:count])
        return require_finite(self._lm, np.asarray(logits, dtype=np.float64))

    def _fitted(self, query: str, lines: Sequence[str]) -> list[str]:
        """The lines, cut alike until their prompt fits the model's positions. Raises InputTooLong."""
        limit = self._lm.max_positions
        fitted = list(lines)
        excess = len(self._chat(query, fitted)) - limit
        if excess <= 0:
            return fitted
        bare = len(self._chat(query, [""] * len(lines)))
        if bare + len(lines) > limit:
            raise InputTooLong("the query with the ranking prompt", bare + len(lines), limit)
        lengths = [len(tokens.ids) for tokens in self._lm.tokenize(lines)]
        budget = limit - bare
        while excess > 0:
            # Tokens can split anew where a passage is cut, so the sum of the parts is only an estimate.
            fitted = cut_to_tokens(self._lm, lines, fair_cap(lengths, budget))
            excess = len(self._chat(query, fitted)) - limit
            budget -= max(excess, 0)
        return fitted

    def _chat(self, query: str, lines: Sequence[str]) -> list[int]:
        messages = listwise_messages(self._prompt, query, lines)
        return self._lm.chat(messages, assistant_prefix=self._prompt.answer)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max())
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


def _make(networks: Any) -> FirstReranker:
    ranker = networks.ranker
    return FirstReranker(ranker.network, listwise_prompt(ranker.prompt))


METHOD = Method(First, _make, frozenset({"lm"}))
