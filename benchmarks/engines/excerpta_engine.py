"""Excerpta's own token index: one segment, asked through `search_tokens`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measure import Float32, main

from retrieval.tokens import Tier, TokenIndex, TokenOptions, search_tokens, search_tokens_batch


class Excerpta:
    """Settings are those of `TokenOptions`, and the tier; a query has one thread, its caller's."""

    def __init__(self, tier: Tier = "fast", **options: Any) -> None:
        self._tier = tier
        self._options = options

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes one segment's index."""
        TokenIndex.build(directory, passages, tier=self._tier)

    def open(self, directory: Path, threads: int) -> None:
        """Maps the index."""
        self._index = TokenIndex.open(directory)

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        options = TokenOptions(limit=k, **self._options)
        return search_tokens([self._index], [0], query, options, allowed=[None]).numbers.tolist()

    def search_many(self, queries: Sequence[Float32], k: int) -> list[Sequence[int]]:
        """One call for all queries."""
        options = TokenOptions(limit=k, **self._options)
        found = search_tokens_batch([self._index], [0], queries, options, allowed=[None])
        return [hits.numbers.tolist() for hits in found]


if __name__ == "__main__":
    main(Excerpta)
