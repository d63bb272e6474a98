"""Generative n-gram retrieval: a language model writes n-grams of the corpus, and these find passages."""

from retrieval.ngrams.errors import InvalidNgramOption, InvalidTokens, SegmentTooLarge
from retrieval.ngrams.index import NgramIndex
from retrieval.ngrams.search import NgramHits, NgramMatch, search_ngrams
from retrieval.ngrams.vocabulary import LanguageVocabulary

__all__ = [
    "InvalidNgramOption",
    "InvalidTokens",
    "LanguageVocabulary",
    "NgramHits",
    "NgramIndex",
    "NgramMatch",
    "SegmentTooLarge",
    "search_ngrams",
]
