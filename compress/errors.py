"""The errors of compression, each with its remedy."""

from __future__ import annotations

from base.errors import ExcerptaError


class CompressError(ExcerptaError):
    """An error of the compress package."""


class InvalidBudget(CompressError):
    """The token budget is not a number that can be met."""

    def __init__(self, target_tokens: int) -> None:
        super().__init__(f"target_tokens is {target_tokens}; it must be 0 or more.")
        self.target_tokens = target_tokens
