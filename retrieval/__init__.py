"""Text in, hits out: collections of documents, found by tokens, n-grams and words."""

from typing import TYPE_CHECKING

from base.lazy import lazily

if TYPE_CHECKING:
    from retrieval.collections.collection import Collection, CollectionStats
    from retrieval.collections.merge_policy import MergePolicy
    from retrieval.collections.snapshot import Snapshot
    from retrieval.documents import Document
    from retrieval.fusion import fuse
    from retrieval.retrievers import Selection
    from retrieval.segments import BatchKey, Commit, Deletion, IndexSettings
    from retrieval.types import Hits, Passage, Tokens, TokenVectors

# Looked up when first used: the token index alone, which `retrieval.tokens` is, needs no PyTorch.
_HOMES = {
    "Collection": "retrieval.collections.collection",
    "CollectionStats": "retrieval.collections.collection",
    "MergePolicy": "retrieval.collections.merge_policy",
    "fuse": "retrieval.fusion",
    "BatchKey": "retrieval.segments",
    "Commit": "retrieval.segments",
    "Deletion": "retrieval.segments",
    "IndexSettings": "retrieval.segments",
    "Selection": "retrieval.retrievers",
    "Snapshot": "retrieval.collections.snapshot",
    "Document": "retrieval.documents",
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
    "TokenVectors",
    "Tokens",
    "fuse",
]
