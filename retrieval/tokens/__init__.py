"""Multi-vector retrieval (XTR): contextual token vectors, scored by the tokens each query token finds."""

from retrieval.tokens.encoder import TokenEncoder
from retrieval.tokens.errors import InvalidTokenOption
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.matching import match_tokens
from retrieval.tokens.reference import maxsim_reference, xtr_reference
from retrieval.tokens.scoring import xtr_scores
from retrieval.tokens.search import search_tokens

__all__ = [
    "InvalidTokenOption",
    "TokenEncoder",
    "TokenIndex",
    "match_tokens",
    "maxsim_reference",
    "search_tokens",
    "xtr_reference",
    "xtr_scores",
]
