"""A cross-encoder reranker: reads question and passage together and gives one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from excerpta.types.rerank import CrossEncoder
from numpy.typing import NDArray

from base.methods import Method
from models.executor import breathe
from rerank.base import Passages, Ranking
from rerank.network import require_finite


class PairNetwork(Protocol):
    """The interface of `models.networks.cross_encoder.CrossEncoderNetwork`."""

    @property
    def name(self) -> str:
        """The model's name, for messages."""
        ...

    def scores(
        self, query: str, texts: Sequence[str], *, batch: int, max_tokens: int
    ) -> tuple[NDArray[np.float64], int]:
        """The relevance (n,) of each text to the query, as a logit, and how many tokens were read."""
        ...


class CrossEncoderReranker:
    """Ranks by a trained cross-encoder (Nogueira and Cho 2019), loaded by sentence-transformers.

    Scores are logits. Whether they compare between questions depends on the checkpoint's training.
    """

    def __init__(self, network: PairNetwork) -> None:
        self._network = network

    def rank(self, query: str, passages: Passages, options: CrossEncoder) -> Ranking:
        """Ranks the passages for `query`; a blank question ranks nothing, the input order stays."""
        texts = passages.texts
        if not texts or not query.strip():
            return Ranking.unchanged(len(texts))
        scores = np.zeros(len(texts))
        tokens_read = 0
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))  # a batch is padded to its longest
        for start in range(0, len(texts), options.batch):
            breathe()
            places = order[start : start + options.batch]
            scores[places], read = self._network.scores(
                query, [texts[at] for at in places], batch=options.batch, max_tokens=options.max_tokens
            )
            tokens_read += read
        return Ranking.by(
            require_finite(self._network, scores),
            forward_passes=-(-len(texts) // options.batch),
            tokens_read=tokens_read,
        )


METHOD = Method(
    CrossEncoder,
    lambda networks: CrossEncoderReranker(networks.cross_encoder),
    frozenset({"cross_encoder"}),
)
