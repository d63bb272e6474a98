"""(query, passages) in, order and scores out."""

from __future__ import annotations

from rerank.base import AnyReranker, Passages, Ranking, Reranker, Texts
from rerank.catalogue import CATALOGUE
from rerank.errors import Absent, InvalidPrompt, RerankError

__all__ = [
    "CATALOGUE",
    "Absent",
    "AnyReranker",
    "InvalidPrompt",
    "Passages",
    "Ranking",
    "RerankError",
    "Reranker",
    "Texts",
]
