"""Options of the methods that make one list of the retrievers' lists."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from excerpta.types.base import Weight
from excerpta.types.methods import MethodOptions


class FuseMethod(MethodOptions, frozen=True, kw_only=True):
    """Base: `weights` by retriever; one that is not named counts its own weight, and 0 leaves it out."""

    weights: Annotated[dict[str, Weight], Meta(description="How much each retriever's list counts.")] = {}


class Scores(FuseMethod, frozen=True, kw_only=True, tag="scores"):
    """Adds each passage's scores by all retrievers, as shares of the most that each could give."""

    paper: ClassVar[str] = "Bruch et al. 2023, arXiv 2210.11934, section 4"
    score_scale: ClassVar[str] = (
        "at most the sum of the weights, for a passage that is all that was asked for. It compares between "
        "questions and collections, except for the part of `ngrams`."
    )


class Rrf(FuseMethod, frozen=True, kw_only=True, tag="rrf"):
    """Adds reciprocal ranks: weight / (k + rank)."""

    paper: ClassVar[str] = "Cormack et al. 2009 (reciprocal rank fusion)"
    score_scale: ClassVar[str] = (
        "above 0, at most the sum of the weights divided by `k` + 1. It depends on places in the lists alone "
        "and says nothing about how good a passage is."
    )

    k: Annotated[int, Meta(ge=1, le=1000, description="Evens out the first ranks.")] = 60


class Weighted(FuseMethod, frozen=True, kw_only=True, tag="weighted"):
    """Adds scores brought to 0..1 within each list; a passage that a list lacks gets 0 there."""

    score_scale: ClassVar[str] = (
        "0 to the sum of the weights. It compares passages of one question in one collection: the best of a "
        "list counts 1, however good it is."
    )
