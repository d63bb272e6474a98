"""The choice of the next token from its logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def choose(logits: torch.Tensor, *, temperature: float, draw: torch.Generator | None) -> int:
    """One token of `logits` (vocabulary,): the likeliest at temperature 0, else drawn from the softmax."""
    if temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(logits.float() / temperature, dim=-1)
    return int(torch.multinomial(probabilities.cpu(), 1, generator=draw))


def closing_tokens(ids: Sequence[int], size: int) -> set[int]:
    """The tokens that would end an n-gram of `size` tokens which `ids` holds already.

    >>> closing_tokens([1, 2, 3, 9, 1, 2], 3)
    {3}
    """
    if size < 1 or len(ids) < size:
        return set()
    last = list(ids[len(ids) - size + 1 :])
    starts = range(len(ids) - size + 1)
    return {ids[at + size - 1] for at in starts if list(ids[at : at + size - 1]) == last}
