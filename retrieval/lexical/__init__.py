"""Plain words: BM25 over stemmed terms."""

from retrieval.lexical.analysis import terms_of
from retrieval.lexical.bm25 import Bm25
from retrieval.lexical.terms import Terms

__all__ = ["Bm25", "Terms", "terms_of"]
