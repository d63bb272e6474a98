"""The retrievers by name: `METHODS` as plans name them, `RETRIEVERS` as a snapshot calls them."""

from __future__ import annotations

from collections.abc import Mapping

from excerpta.types.retrieve import RetrieverOptions

from base.methods import Catalogue
from retrieval.lexical import retriever as lexical
from retrieval.ngrams import retriever as ngrams
from retrieval.retrievers import AnyRetriever, SegmentIndex
from retrieval.tokens import retriever as tokens

METHODS: Catalogue[RetrieverOptions, AnyRetriever] = Catalogue(
    "retrieve",
    RetrieverOptions,
    tokens.METHOD,
    lexical.METHOD,
    ngrams.METHOD,
)

RETRIEVERS: Mapping[str, AnyRetriever] = {name: method.make(None) for name, method in METHODS.items()}

INDEXES: Mapping[str, type[SegmentIndex]] = {
    index.name: index for index in (retriever.index for retriever in RETRIEVERS.values())
}
"""What a segment holds, in the order in which it is built; retrievers may share one."""
