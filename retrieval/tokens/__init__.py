"""Multi-vector retrieval (XTR): contextual token vectors, scored by the tokens each query token finds."""

from retrieval.tokens.encoder import TokenEncoder
from retrieval.tokens.errors import InvalidTokenOption, UnusableFaiss
from retrieval.tokens.faiss_facts import check_faiss
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.matching import match_tokens
from retrieval.tokens.reference import maxsim_reference, xtr_reference
from retrieval.tokens.scoring import xtr_scores
from retrieval.tokens.search import (
    DeviceSearch,
    TokenOptions,
    exact_scores,
    search_tokens,
    search_tokens_batch,
)
from retrieval.tokens.storage.header import Tier
from retrieval.tokens.storage.ivf import Trainer

__all__ = [
    "DeviceSearch",
    "InvalidTokenOption",
    "Tier",
    "TokenEncoder",
    "TokenIndex",
    "TokenOptions",
    "Trainer",
    "UnusableFaiss",
    "check_faiss",
    "exact_scores",
    "match_tokens",
    "maxsim_reference",
    "search_tokens",
    "search_tokens_batch",
    "xtr_reference",
    "xtr_scores",
]
