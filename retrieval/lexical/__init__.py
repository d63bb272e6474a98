"""Plain words: BM25 over stemmed terms."""

from base.text.terms import terms_of
from retrieval.lexical.bm25 import Bm25
from retrieval.lexical.terms import Terms

__all__ = ["Bm25", "Terms", "terms_of"]
