"""The choice of the next token from its logits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

LEAST_SHARE = 0.1
"""The least probability of a token that is drawn, as a share of the likeliest one's."""


def choose(
    logits: torch.Tensor,
    *,
    temperature: float,
    draw: torch.Generator | None,
    top_p: float = 1.0,
    least_share: float = LEAST_SHARE,
) -> int:
    """One token of `logits` (vocabulary,): the likeliest at temperature 0, else drawn from the softmax.

    Tokens whose probability at temperature 1 is below `least_share` of the likeliest one's are never drawn
    (min-p sampling, Nguyen et al. 2024, arXiv 2407.01082): they are thousands, and each draw of one leads the
    answer away from the passages. `top_p` keeps the likeliest tokens that have this probability together.
    """
    if temperature == 0 or top_p == 0:
        return int(logits.argmax())
    logits = logits.float()
    plausible = logits >= logits.max() + math.log(least_share) if least_share > 0 else logits > -math.inf
    probabilities = torch.softmax(logits.masked_fill(~plausible, -math.inf) / temperature, dim=-1)
    if top_p < 1:
        probabilities = _nucleus(probabilities, top_p)
    return int(torch.multinomial(probabilities.cpu(), 1, generator=draw))


def _nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The probabilities (vocabulary,) of the fewest likeliest tokens that reach `top_p`; 0 for the others."""
    ordered, places = probabilities.sort(descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    return torch.zeros_like(probabilities).scatter(0, places, ordered.where(before < top_p, 0.0))


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
