"""The errors of reranking, each with its remedy."""

from __future__ import annotations

from collections.abc import Sequence

from base.errors import ExcerptaError


class RerankError(ExcerptaError):
    """An error of the rerank package."""


class UnknownReranker(RerankError):
    """A method was asked for that no reranker has."""

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"there is no reranker {method!r}; choose one of {', '.join(allowed)}.")
        self.method = method
        self.allowed = list(allowed)


class InvalidPrompt(RerankError):
    """A prompt file lacks a placeholder it must have, or has one that nothing fills."""

    def __init__(self, prompt: str, reason: str) -> None:
        super().__init__(f"prompt {prompt}: {reason}")
        self.prompt = prompt
        self.reason = reason
