"""Multi-vector retrieval (XTR): contextual token vectors, found in FAISS, scored by what was found."""

from retrieval.tokens.encoder import TokenEncoder
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.reference import maxsim_reference, xtr_reference
from retrieval.tokens.scoring import maxsim, refine, rescore, xtr_scores
from retrieval.tokens.search import match_tokens, search_tokens

__all__ = [
    "TokenEncoder",
    "TokenIndex",
    "match_tokens",
    "maxsim",
    "maxsim_reference",
    "refine",
    "rescore",
    "search_tokens",
    "xtr_reference",
    "xtr_scores",
]
