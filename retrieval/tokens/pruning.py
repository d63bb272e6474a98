"""Fewer query tokens to retrieve for: near-equal ones are searched once."""

from __future__ import annotations

import numpy as np

from retrieval.types import Float32

NEAR = 0.9
"""Query tokens at least this similar retrieve nearly the same tokens: one search serves both."""


def merge_near(query: Float32, near: float = NEAR) -> tuple[Float32, Float32]:
    """Unit vectors (m, d), m <= q, that stand for the unit vectors (q, d), and their weights (m,).

    Each vector joins the first group whose direction it is as near to as `near`. A group is searched in
    the direction of its sum and weighs the sum's length, because where one passage token is the best of
    all members, the sum of their similarities is the sum's: sum_i(q_i . d) = |sum_i q_i| (u . d). The mask
    tokens that fill ColBERT's queries are such copies.

    >>> vectors, weights = merge_near(np.array([[1, 0], [0, 1], [1, 0]], np.float32))
    >>> vectors.tolist(), weights.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [2.0, 1.0])
    """
    if len(query) < 2 or near > 1:
        return query, np.ones(len(query), np.float32)
    sums = np.zeros_like(query)
    lengths = np.zeros(len(query), np.float32)
    groups = 0
    for vector in query:
        nearness = (sums[:groups] @ vector) / lengths[:groups]
        at = int(nearness.argmax()) if groups else -1
        if at < 0 or nearness[at] < near:
            at, groups = groups, groups + 1
        sums[at] += vector
        lengths[at] = np.linalg.norm(sums[at])
    return np.ascontiguousarray(sums[:groups] / lengths[:groups, None]), lengths[:groups].copy()
