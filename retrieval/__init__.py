"""Text in, hits out: collections of documents, found by tokens, n-grams and words."""

import importlib
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


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
