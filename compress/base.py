"""The input and the result of a compressor: spans of the source, never rewritten text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from base.text.words import Spans

CountTokens: TypeAlias = Callable[[Sequence[str]], Sequence[int]]
Floats: TypeAlias = NDArray[np.float64]
O_contra = TypeVar("O_contra", bound=CompressMethod, contravariant=True)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided about each word of a text, and by what.

    `spans` (n, 2) are half-open characters of the source, in order. `scores` (n,) are comparable between
    the texts of one call. `units` (n,) number the units: words that stay or go together have the same one.
    `protected` and `kept` (n,) say which words went first and which stayed.
    """

    spans: Spans
    scores: Floats
    units: NDArray[np.int64]
    protected: NDArray[np.bool_]
    kept: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Compressed:
    """A shortened text.

    `kept` are half-open character spans of the source, in order, not touching each other.
    `text` is those spans joined: the source itself when everything is kept.
    Token counts are the target model's. `decisions` is None where the text was never scored: it fitted whole.
    """

    kept: tuple[tuple[int, int], ...]
    text: str
    tokens_before: int
    tokens_after: int
    decisions: Decisions | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScoredWords:
    """One text's words (n, 2) in order with their scores (n,), comparable between the texts of one call."""

    spans: Spans
    scores: Floats


@dataclass(frozen=True, slots=True)
class TokenSimilarities:
    """How alike the question's tokens and one text's are.

    `values` (q, n) are cosines of their vectors, `offsets` (n, 2) the text's tokens in characters of it.
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]


class Texts(Protocol):
    """The texts to shorten. An index can lend their similarities to the question; loose texts have none."""

    @property
    def texts(self) -> Sequence[str]:
        """The texts themselves."""
        ...

    def similarities(self) -> Sequence[TokenSimilarities] | None:
        """Of each text, in order; None where nobody has read the texts."""
        ...


@dataclass(frozen=True, slots=True)
class Loose:
    """Texts that stand in no index.

    >>> Loose(["a", "b"]).similarities() is None
    True
    """

    texts: Sequence[str]

    def similarities(self) -> None:
        """None: there are no vectors to compare."""
        return


class Scorer(Protocol[O_contra]):
    """Scores words. What is protected, how much stays and how it is cut is the same for all (`shorten`)."""

    def score(
        self, query: str, texts: Sequence[str], options: O_contra, *, rate: float
    ) -> Sequence[ScoredWords]:
        """The words of each text. `rate` is the share of the tokens that may stay, above 0 and below 1."""
        ...


AnyScorer: TypeAlias = Scorer[Any]
