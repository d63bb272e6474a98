"""Text in, hits out: collections of documents, found by tokens, n-grams and words."""

from retrieval.collection import Collection, CollectionStats
from retrieval.fusion import fuse
from retrieval.segments import BatchKey, Commit, IndexSettings
from retrieval.snapshot import Selection, Snapshot, TokenMatch
from retrieval.types import Document, Hits, Passage, Tokens, TokenVectors

__all__ = [
    "BatchKey",
    "Collection",
    "CollectionStats",
    "Commit",
    "Document",
    "Hits",
    "IndexSettings",
    "Passage",
    "Selection",
    "Snapshot",
    "TokenMatch",
    "TokenVectors",
    "Tokens",
    "fuse",
]
