"""Query likelihood: how probable the question is once a language model has read the passage."""

from __future__ import annotations

import numpy as np
from excerpta.types.rerank import Likelihood

from base.methods import Method
from rerank.base import Passages, Ranking
from rerank.network import CausalNetwork, cut_to_tokens, require_finite
from rerank.prompts import LikelihoodPrompt, likelihood_prompt


class QueryLikelihood:
    """Ranks by the mean log p(question token | passage), the score of UPR (Sachan et al. 2022, eq. 2).

    It needs no training and no window: each passage is a sequence of its own, and the network batches
    them by length. Scores are log-probabilities per token, comparable between calls with one question.
    The cost is prefill: 20 passages of 200 tokens are 4,480 tokens, 6.8 CPU seconds for
    SmolLM2-135M-Instruct in bfloat16; half of each passage is half of that.
    """

    def __init__(self, lm: CausalNetwork, prompt: LikelihoodPrompt | None = None) -> None:
        self._lm = lm
        self._prompt = prompt or likelihood_prompt()
        self._before = lm.encode(self._prompt.before)
        self._after = lm.encode(self._prompt.after)

    def rank(self, query: str, passages: Passages, options: Likelihood) -> Ranking:
        """Ranks the passages for `query`; a blank question ranks nothing, the input order stays."""
        texts = passages.texts
        if not texts or not query.strip():
            return Ranking.unchanged(len(texts))
        room = self._lm.max_positions - len(self._before) - len(self._after)
        question = self._lm.encode(self._prompt.question.format(query=query.strip()))
        question = question[: min(options.query_tokens, room)]
        limit = min(options.passage_tokens, room - min(options.query_tokens, room))
        cut = cut_to_tokens(self._lm, [text.strip() for text in texts], limit)
        prompts = [self._before + self._lm.encode(passage) + self._after for passage in cut]
        found = self._lm.log_likelihoods(prompts, [question] * len(prompts))
        return Ranking.by(
            require_finite(self._lm, np.array([float(np.mean(values)) for values in found])),
            forward_passes=len(prompts),
            tokens_read=sum(len(prompt) + len(question) for prompt in prompts),
        )


METHOD = Method(Likelihood, lambda networks: QueryLikelihood(networks.lm), frozenset({"lm"}))
