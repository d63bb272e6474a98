"""Explains why a passage was found: each query token's best match in it."""

from __future__ import annotations

from retrieval.types import Float32


def match_tokens(query: Float32, vectors: Float32) -> list[tuple[int, int, float]]:
    """(query token, passage token, similarity): each query token's best, the earliest one of equals.

    >>> import numpy as np
    >>> match_tokens(np.eye(2, dtype=np.float32), np.array([[0, 0.5], [1, 0]], np.float32))
    [(0, 1, 1.0), (1, 0, 0.5)]
    """
    if not len(vectors):
        return []
    similarities = query @ vectors.T
    best = similarities.argmax(axis=1)
    return [(token, int(at), float(similarities[token, at])) for token, at in enumerate(best)]
