"""What every reranker gives back, and the one method it must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of the given texts.

    `order` (n,) holds indices into the input, best first, a permutation always; `scores` (n,)
    belongs to the input positions, on the method's own scale. `forward_passes` and `tokens_read`
    say what it cost.
    """

    order: NDArray[np.int64]
    scores: NDArray[np.float64]
    forward_passes: int
    tokens_read: int


class Reranker(Protocol):
    """Ranks texts for a query by indices and floats, never by parsing strings."""

    name: str

    def rank(self, query: str, texts: Sequence[str]) -> Ranking:
        """Ranks `texts` for `query`; no texts give an empty ranking."""
        ...
