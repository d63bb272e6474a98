"""Rerankers by name."""

from __future__ import annotations

from typing import Protocol

from rerank.base import Reranker
from rerank.errors import UnknownReranker
from rerank.methods.first import First
from rerank.methods.likelihood import QueryLikelihood
from rerank.network import CausalNetwork

METHODS = ("likelihood", "first")


class HasLanguageModel(Protocol):
    """What is needed of `models.registry.Models`."""

    @property
    def lm(self) -> CausalNetwork:
        """The profile's language model."""
        ...


def make_reranker(method: str, models: HasLanguageModel) -> Reranker:
    """The reranker called `method`, on the profile's language model."""
    if method == "likelihood":
        return QueryLikelihood(models.lm)
    if method == "first":
        return First(models.lm)
    raise UnknownReranker(method, METHODS)
