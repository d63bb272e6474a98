"""The stages with several methods, and the requirements of methods that this service meets."""

from __future__ import annotations

from typing import Any

from base.methods import Catalogue
from compress import CATALOGUE as COMPRESSORS
from context import READINGS, REWRITERS
from rerank import CATALOGUE as RERANKERS
from retrieval.catalogue import METHODS as RETRIEVERS
from retrieval.fusion import CATALOGUE as FUSIONS

CATALOGUES: dict[str, Catalogue[Any, Any]] = {
    "rewrite": REWRITERS,
    "fuse": FUSIONS,
    "rerank": RERANKERS,
    "compress": COMPRESSORS,
    "context.reading": READINGS,
}
"""By the stage's place in a plan, in the order in which a query runs them."""

LISTED: dict[str, Catalogue[Any, Any]] = {"retrieve": RETRIEVERS, **CATALOGUES}
"""The same, and the retrievers: a plan may run several, each under its name."""

REMEDIES = {
    "lm": "give the profile a language model, [lm]",
    "encoder": "give the profile a token encoder, [encoder]",
    "token_classifier": "give the profile a token classifier, [token_classifier]",
    "cross_encoder": "give the profile a cross-encoder, [cross_encoder] with a path, a package or a hub name",
    "blocks": "only passages of a collection have cached blocks: ask POST /v1/query",
}
"""The remedy for each requirement of a method that is not met."""
