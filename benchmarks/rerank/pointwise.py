"""Rerankers to compare with that no plan has: a yes or no for each passage, and exact MaxSim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.networks.language_model import LanguageModel
from rerank import Passages, Ranking
from rerank.network import cut_to_tokens
from retrieval.tokens import TokenEncoder

_ASKED = (
    "Passage: {text}\n\nQuestion: {query}\n\nDoes the passage answer the question? Reply with yes or no only."
)


@dataclass(frozen=True, slots=True)
class LogitScore:
    """The logit of "Yes" over that of "No" when a model is asked about one passage at a time.

    The pointwise reranker that sentence-transformers makes of a language model (`LogitScore`), and Qwen3's.
    """

    lm: LanguageModel
    passage_tokens: int = 200

    def rank(self, query: str, passages: Passages, options: None = None) -> Ranking:
        """A forward pass a passage."""
        answers = [self.lm.encode(one)[0] for one in ("Yes", "No")]
        scores, tokens = [], 0
        for text in cut_to_tokens(self.lm, passages.texts, self.passage_tokens):
            asked = _ASKED.replace("{query}", query).replace("{text}", text)
            prompt = self.lm.chat([{"role": "user", "content": asked}])
            yes, no = self.lm.next_logits(prompt, answers)
            scores.append(yes - no)
            tokens += len(prompt)
        return Ranking.by(np.array(scores), forward_passes=len(scores), tokens_read=tokens)


@dataclass(frozen=True, slots=True)
class MaxSim:
    """The order of the token search: mean of each query token's nearest cosine.

    In a query it costs nothing, because the vectors lie in the index; here the passages are encoded.
    """

    encoder: TokenEncoder

    def rank(self, query: str, passages: Passages, options: None = None) -> Ranking:
        """Passages without tokens come last."""
        asked = self.encoder.encode_queries([query])[0].vectors
        found = [one.vectors for one in self.encoder.encode_passages(list(passages.texts))]
        scores = [float((asked @ one.T).max(axis=1).mean()) if len(one) else -1.0 for one in found]
        return Ranking.by(
            np.array(scores), forward_passes=1 + len(found), tokens_read=len(asked) + sum(map(len, found))
        )
