"""The errors of n-gram retrieval."""

from __future__ import annotations

from retrieval.errors import RetrievalError


class InvalidTokens(RetrievalError):
    """Token ids or offsets given to an n-gram index have the wrong shape or range."""

    def __init__(self, passage: int, reason: str) -> None:
        super().__init__(f"passage {passage} cannot be indexed by n-grams: {reason}.")
        self.passage = passage
        self.reason = reason


class SegmentTooLarge(RetrievalError):
    """A segment has more tokens than positions of 31 bits can name."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(
            f"a segment of {tokens} tokens is over the {limit} one suffix array holds. Split it."
        )
        self.tokens = tokens
        self.limit = limit


class InvalidNgramOption(RetrievalError):
    """An option of n-gram search is out of range."""

    def __init__(self, option: str, value: float, allowed: str) -> None:
        super().__init__(f"{option} is {value}; it must be {allowed}.")
        self.option = option
        self.value = value
        self.allowed = allowed
