"""Many endings of one beginning in one sequence: the beginning is read once, the endings branch off.

A branch sees the beginning and itself, and its positions go on where the beginning ends, so each branch reads
exactly what it would read alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch


@dataclass(frozen=True, slots=True)
class Branched:
    """Token ids (1, t), positions (1, t), the mask (1, 1, t, t), True where attention goes, the place of each
    branch's last token (b,), and for every token of a branch the place of the token before it (n,). The
    branches' tokens are the last n of the sequence."""

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    ends: torch.Tensor
    before: torch.Tensor


def branched(
    prompts: Sequence[Sequence[int]], device: torch.device, *, common: int | None = None
) -> Branched:
    """One sequence of all prompts: their common beginning once, then what is left of each.

    The first `common` tokens are the beginning, by default as many as all prompts share. At least the last
    token of each prompt is its own. Raises ValueError for an empty prompt.

    >>> one = branched([[1, 2, 3], [1, 2, 4, 5]], torch.device("cpu"))
    >>> one.ids.tolist(), one.positions.tolist(), one.ends.tolist()
    ([[1, 2, 3, 4, 5]], [[0, 1, 2, 2, 3]], [2, 4])
    """
    if not all(prompts):
        raise ValueError("a prompt has no tokens")
    if common is None:
        columns = takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False))
        common = min(sum(1 for _ in columns), min(map(len, prompts)) - 1)
    ids, positions, owners = list(prompts[0][:common]), list(range(common)), [-1] * common
    ends: list[int] = []
    before: list[int] = []
    for number, prompt in enumerate(prompts):
        before += [common - 1, *range(len(ids), len(ids) + len(prompt) - common - 1)]
        ids += prompt[common:]
        positions += range(common, len(prompt))
        owners += [number] * (len(prompt) - common)
        ends.append(len(ids) - 1)
    owner = torch.tensor(owners, device=device)
    order = torch.arange(len(ids), device=device)
    sees = (owner[None, :] == owner[:, None]) | (owner[None, :] == -1)
    return Branched(
        torch.tensor([ids], device=device),
        torch.tensor([positions], device=device),
        (sees & (order[None, :] <= order[:, None]))[None, None],
        torch.tensor(ends, device=device),
        torch.tensor(before, device=device),
    )
