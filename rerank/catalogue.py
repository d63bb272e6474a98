"""The rerankers by name; the first is the default."""

from __future__ import annotations

from excerpta.types.rerank import RerankMethod

from base.methods import Catalogue
from rerank.base import AnyReranker
from rerank.methods import cached_likelihood, cross_encoder, first, icr, likelihood

CATALOGUE: Catalogue[RerankMethod, AnyReranker] = Catalogue(
    "rerank",
    RerankMethod,
    likelihood.METHOD,
    first.METHOD,
    icr.METHOD,
    cached_likelihood.METHOD,
    cross_encoder.METHOD,
)
