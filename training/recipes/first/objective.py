"""What the listwise reranker learns from: the right letter, and optionally a teacher's order."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy, softplus


def letter_loss(logits: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the letters' logits (b, k) with the place of the right passage (b,)."""
    return cross_entropy(logits, right)


def weighted_ranknet(scores: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """RankNet over all pairs that the teacher orders, weighted by 1 / (rank_i + rank_j), ranks from 1.

    `scores` and `teacher` are (b, k); a higher value is a better place (Gangi Reddy et al. 2024, eq. 2). The
    mean is over pairs; pairs that are equal for the teacher do not count.

    >>> order = torch.tensor([[3.0, 2.0, 1.0]])
    >>> bool(weighted_ranknet(order, order) < weighted_ranknet(-order, order))
    True
    """
    ranks = teacher.argsort(stable=True, dim=-1, descending=True).argsort(dim=-1).to(scores.dtype) + 1
    better = teacher[:, :, None] > teacher[:, None, :]
    weights = better / (ranks[:, :, None] + ranks[:, None, :])
    losses = softplus(scores[:, None, :] - scores[:, :, None])
    return (losses * weights).sum() / better.sum().clamp(min=1)
