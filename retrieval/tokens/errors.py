"""The errors of token retrieval."""

from __future__ import annotations

from retrieval.errors import RetrievalError


class InvalidTokenOption(RetrievalError):
    """An option of token search is out of range."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option} is {value}; it must be {allowed}.")
        self.option = option
        self.value = value
        self.allowed = allowed


class UnusableFaiss(RetrievalError):
    """The FAISS that is installed does not do what token retrieval relies on."""
