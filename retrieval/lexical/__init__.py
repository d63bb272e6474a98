"""Plain words: BM25 over stemmed terms."""

from retrieval.lexical.bm25 import Bm25
from retrieval.lexical.terms import Terms

__all__ = ["Bm25", "Terms"]
