"""(query, texts, budget) in, kept spans of the source out."""

from __future__ import annotations

from compress.base import AnyScorer, Compressed, ScoredWords, Scorer
from compress.catalogue import CATALOGUE, without_question
from compress.counting import counter
from compress.errors import CompressError, InvalidBudget
from compress.protect import Protection
from compress.shorten import shorten

__all__ = [
    "CATALOGUE",
    "AnyScorer",
    "CompressError",
    "Compressed",
    "InvalidBudget",
    "Protection",
    "ScoredWords",
    "Scorer",
    "counter",
    "shorten",
    "without_question",
]
