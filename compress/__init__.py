"""(query, texts, budget) in, kept spans of the source out."""

from __future__ import annotations

from compress.base import (
    AnyScorer,
    Compressed,
    Decisions,
    Loose,
    ScoredWords,
    Scorer,
    Texts,
    TokenSimilarities,
)
from compress.catalogue import CATALOGUE, without_question
from compress.counting import counter
from compress.errors import CompressError, InvalidBudget
from compress.policy import Rates, Verdict, worth
from compress.shorten import shorten
from compress.structure.protect import Protection

__all__ = [
    "CATALOGUE",
    "AnyScorer",
    "CompressError",
    "Compressed",
    "Decisions",
    "InvalidBudget",
    "Loose",
    "Protection",
    "Rates",
    "ScoredWords",
    "Scorer",
    "Texts",
    "TokenSimilarities",
    "Verdict",
    "counter",
    "shorten",
    "without_question",
    "worth",
]
