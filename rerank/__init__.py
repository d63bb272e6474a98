"""(query, texts) in, order and scores out."""

from __future__ import annotations

from rerank.base import Ranking, Reranker
from rerank.errors import InvalidPrompt, RerankError, UnknownReranker
from rerank.first import First
from rerank.likelihood import QueryLikelihood
from rerank.methods import METHODS, make_reranker

__all__ = [
    "METHODS",
    "First",
    "InvalidPrompt",
    "QueryLikelihood",
    "Ranking",
    "RerankError",
    "Reranker",
    "UnknownReranker",
    "make_reranker",
]
