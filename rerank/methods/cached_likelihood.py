"""Query likelihood over cached passages: the cost is only that of the question's tokens."""

from __future__ import annotations

import numpy as np
from excerpta.types.rerank import CachedLikelihood

from base.methods import Method
from rerank.base import Passages, Ranking


class CachedQueryLikelihood:
    """Ranks by the mean log p(question token | passage), read over the passages' cached blocks.

    A passage whose block is cached costs only the question's tokens. A missing block is encoded once, and
    answers use it too. The prompt is the answer's, not UPR's, so scores differ from those of `likelihood`
    (Merth et al. 2024, arXiv 2404.06910, path pruning).
    """

    def rank(self, query: str, passages: Passages, options: CachedLikelihood) -> Ranking:
        """Ranks the passages for `query`; a blank question ranks nothing. Raises Absent for loose texts."""
        if not passages.texts or not query.strip():
            return Ranking.unchanged(len(passages.texts))
        scores = np.asarray(passages.likelihoods(query), dtype=np.float64)
        return Ranking.by(scores, forward_passes=len(scores))


METHOD = Method(
    CachedLikelihood,
    lambda networks: CachedQueryLikelihood(),
    frozenset({"lm", "blocks"}),
    presets=frozenset({"best"}),
)
