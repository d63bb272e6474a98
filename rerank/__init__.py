"""(query, texts) in, order and scores out."""

from __future__ import annotations

from rerank.base import Ranking, Reranker
from rerank.catalogue import METHODS, make_reranker
from rerank.errors import InvalidPrompt, RerankError, UnknownReranker
from rerank.methods.first import First
from rerank.methods.likelihood import QueryLikelihood

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
