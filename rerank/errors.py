"""The errors of reranking, each with its remedy."""

from __future__ import annotations

from base.errors import ExcerptaError


class RerankError(ExcerptaError):
    """An error of the rerank package."""


class Absent(RerankError):
    """A method needs data of the passages that these do not have."""

    def __init__(self, lacking: str) -> None:
        super().__init__(
            f"these texts have no {lacking}. "
            "Rank passages of a collection by POST /v1/query, or use another method."
        )
        self.lacking = lacking


class InvalidPrompt(RerankError):
    """A prompt file lacks a placeholder it must have, or has one that nothing fills."""

    def __init__(self, prompt: str, reason: str) -> None:
        super().__init__(f"prompt {prompt}: {reason}")
        self.prompt = prompt
        self.reason = reason
