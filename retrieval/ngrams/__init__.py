"""Generative n-gram retrieval: a language model writes n-grams of the corpus, and these find passages."""

from typing import TYPE_CHECKING

from base.lazy import lazily

if TYPE_CHECKING:
    from retrieval.ngrams.errors import InvalidNgramOption, InvalidTokens, SegmentTooLarge
    from retrieval.ngrams.index import NgramIndex
    from retrieval.ngrams.search import NgramHits, NgramMatch, search_ngrams
    from retrieval.ngrams.vocabulary import LanguageVocabulary

# Looked up when first used: an index is opened without PyTorch, which writing n-grams needs.
_HOMES = {
    "InvalidNgramOption": "retrieval.ngrams.errors",
    "InvalidTokens": "retrieval.ngrams.errors",
    "SegmentTooLarge": "retrieval.ngrams.errors",
    "NgramIndex": "retrieval.ngrams.index",
    "NgramHits": "retrieval.ngrams.search",
    "NgramMatch": "retrieval.ngrams.search",
    "search_ngrams": "retrieval.ngrams.search",
    "LanguageVocabulary": "retrieval.ngrams.vocabulary",
}

__getattr__ = lazily(__name__, _HOMES)

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
