"""What the token encoder is trained to do: rank passages by MaxSim and by retrieved tokens alone (XTR)."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax


def maxsim_scores(
    queries: torch.Tensor,
    query_mask: torch.Tensor,
    passages: torch.Tensor,
    passage_mask: torch.Tensor,
    k: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each query token's best similarity in each passage, and the k-th best of its similarities in the batch.

    Unit vectors (q, n, d) and (p, m, d) with boolean masks (q, n) and (p, m); gives (q, n, p) and (q, n).
    Query tokens without a place in the mask give zeros.
    """
    flat = passages.flatten(0, 1)
    similarities = (queries.flatten(0, 1) @ flat.T).masked_fill(~passage_mask.flatten(), -2.0)
    kth = similarities.detach().topk(min(k, int(passage_mask.sum())), dim=1).values[:, -1]
    best = similarities.view(len(similarities), *passages.shape[:2]).amax(-1)
    shape = query_mask.shape
    best = best.view(*shape, -1) * query_mask[..., None]
    return best, kth.view(shape)


def masked_scores(best: torch.Tensor, kth: torch.Tensor, query_mask: torch.Tensor) -> torch.Tensor:
    """XTR's training scores (q, p): the mean over the query tokens that retrieve a token of the passage.

    A query token retrieves the `k` tokens most similar to it of all passages in the batch; a passage none
    of whose tokens are retrieved scores 0 (Lee et al. 2023, eq. 4).
    """
    retrieved = (best >= kth[..., None]) & query_mask[..., None]
    return (best * retrieved).sum(1) / retrieved.sum(1).clamp(min=1)


def late_interaction_loss(
    best: torch.Tensor,
    kth: torch.Tensor,
    query_mask: torch.Tensor,
    targets: torch.Tensor,
    ignored: torch.Tensor,
    teacher: torch.Tensor | None,
    *,
    temperature: float,
    masked_share: float,
    teacher_share: float,
) -> torch.Tensor:
    """Cross-entropy of each query's passage (q,) among all of the batch, less those it must not be told from.

    `ignored` (q, p) marks other relevant passages. The loss is of XTR's scores by `masked_share`, of mean
    MaxSim for the rest; `teacher` (q, p), mean MaxSim by the network as it was, is followed by
    `teacher_share`, which keeps what the few training sets do not teach.
    """
    mean = best.sum(1) / query_mask.sum(1, keepdim=True)
    loss = torch.zeros((), device=best.device)
    for scores, share in ((masked_scores(best, kth, query_mask), masked_share), (mean, 1 - masked_share)):
        logits = (scores / temperature).masked_fill(ignored, -1e4)
        loss = loss + share * cross_entropy(logits, targets)
    if teacher is None or not teacher_share:
        return loss
    followed = kl_div(
        log_softmax(mean / temperature, -1), softmax(teacher / temperature, -1), reduction="batchmean"
    )
    return (1 - teacher_share) * loss + teacher_share * followed
