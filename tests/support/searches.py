"""Searches of a snapshot by one retriever, as tests ask for them."""

from types import SimpleNamespace

from excerpta.types.retrieve import Lexical, Ngrams

from models.networks.ngram_writer import NgramWriter
from retrieval.tokens import TokenOptions
from retrieval.tokens.retriever import find


def by_tokens(snapshot, vectors, *, selection, **options):
    """Hits for a query's token vectors, with any option of the search."""
    return find(snapshot.searched, vectors, TokenOptions(**options), selection)


def by_words(snapshot, query, *, selection, limit=100):
    """Hits by BM25."""
    return snapshot.search("lexical", query, Lexical(limit=limit), selection=selection).hits


def by_ngrams(snapshot, lm, query, *, selection, **options):
    """What n-gram retrieval read of the query, and what it found."""
    read = SimpleNamespace(text=query, writer=NgramWriter(lm, examples=True))
    return read, snapshot.search("ngrams", read, Ngrams(**options), selection=selection)
