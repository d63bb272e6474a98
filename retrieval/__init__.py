"""Text in, hits out: collections of documents, found by tokens, n-grams and words."""

from typing import TYPE_CHECKING

from models.lazy import lazily

if TYPE_CHECKING:
    from retrieval.collection import Collection, CollectionStats
    from retrieval.compaction import MergePolicy
    from retrieval.fusion import fuse
    from retrieval.segments import BatchKey, Commit, Deletion, IndexSettings
    from retrieval.snapshot import Selection, Snapshot, TokenMatch
    from retrieval.types import Document, Hits, Passage, Tokens, TokenVectors

# Looked up when first used: the token index alone, which `retrieval.tokens` is, needs no PyTorch.
_HOMES = {
    "Collection": "retrieval.collection",
    "CollectionStats": "retrieval.collection",
    "MergePolicy": "retrieval.compaction",
    "fuse": "retrieval.fusion",
    "BatchKey": "retrieval.segments",
    "Commit": "retrieval.segments",
    "Deletion": "retrieval.segments",
    "IndexSettings": "retrieval.segments",
    "Selection": "retrieval.snapshot",
    "Snapshot": "retrieval.snapshot",
    "TokenMatch": "retrieval.snapshot",
    "Document": "retrieval.types",
    "Hits": "retrieval.types",
    "Passage": "retrieval.types",
    "Tokens": "retrieval.types",
    "TokenVectors": "retrieval.types",
}


__getattr__ = lazily(__name__, _HOMES)

__all__ = [
    "BatchKey",
    "Collection",
    "CollectionStats",
    "Commit",
    "Deletion",
    "Document",
    "Hits",
    "IndexSettings",
    "MergePolicy",
    "Passage",
    "Selection",
    "Snapshot",
    "TokenMatch",
    "TokenVectors",
    "Tokens",
    "fuse",
]
