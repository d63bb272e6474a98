"""Several endings of one prompt: what they begin with is read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache


@torch.inference_mode()
def last_states(
    body: Any, prefix: Sequence[int], branches: Sequence[Sequence[int]], *, share: bool = True
) -> torch.Tensor:
    """The last layer's states (b, hidden) at the end of each branch, read behind `prefix`.

    With `share` there are two calls, one over the prefix and one over all branches, padded on the right,
    where no row reads; a single branch, or a network whose attention does not reach back over everything,
    takes a call a branch. Raises ValueError for a branch without tokens.
    """
    if not branches or not all(len(branch) for branch in branches):
        raise ValueError("a branch has no tokens")
    device = next(body.parameters()).device
    if len(branches) == 1 or not share or not len(prefix):
        return torch.stack([_read(body, [[*prefix, *branch]], device)[0, -1] for branch in branches])
    cache = DynamicCache()
    _read(body, [list(prefix)], device, cache)
    kept = [
        (layer.keys.expand(len(branches), -1, -1, -1), layer.values.expand(len(branches), -1, -1, -1))
        for layer in cache.layers
    ]
    longest = max(map(len, branches))
    rows = [[*branch, *[0] * (longest - len(branch))] for branch in branches]
    hidden = _read(body, rows, device, DynamicCache(kept))
    return hidden[range(len(branches)), [len(branch) - 1 for branch in branches]]


def _read(
    body: Any, rows: Sequence[Sequence[int]], device: torch.device, cache: DynamicCache | None = None
) -> torch.Tensor:
    ids = torch.tensor(rows, dtype=torch.long, device=device)
    hidden: torch.Tensor = body(
        input_ids=ids, past_key_values=cache, use_cache=cache is not None
    ).last_hidden_state
    return hidden
