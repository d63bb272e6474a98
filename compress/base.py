"""The input and the result of a compressor: spans of the source, never rewritten text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from base.text.words import Spans

CountTokens: TypeAlias = Callable[[Sequence[str]], Sequence[int]]
O_contra = TypeVar("O_contra", bound=CompressMethod, contravariant=True)


@dataclass(frozen=True, slots=True)
class Compressed:
    """A shortened text.

    `kept` are half-open character spans of the source, in order, not touching each other.
    `text` is those spans joined: the source itself when everything is kept.
    Token counts are the target model's.
    """

    kept: tuple[tuple[int, int], ...]
    text: str
    tokens_before: int
    tokens_after: int


@dataclass(frozen=True, slots=True)
class ScoredWords:
    """One text's words (n, 2) with their scores (n,), comparable between the texts of one call.

    `protected` words go before all others, `ends` are those of them that may not follow one another
    (see `compress.protect`).
    """

    spans: Spans
    scores: NDArray[np.float64]
    protected: NDArray[np.bool_]
    ends: NDArray[np.bool_]


class Scorer(Protocol[O_contra]):
    """Scores words; the budget, the protection of words and the shortened text are the same for all."""

    def score(
        self, query: str, texts: Sequence[str], options: O_contra, *, rate: float
    ) -> Sequence[ScoredWords]:
        """The words of each text. `rate` is the share of the tokens that may stay, above 0 and below 1."""
        ...


AnyScorer: TypeAlias = Scorer[Any]
