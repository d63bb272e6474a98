"""Shortens texts to a common budget of tokens by any scorer: score, rank, cut."""

from __future__ import annotations

from collections.abc import Sequence

from excerpta.types.compress import CompressMethod

from compress.base import AnyScorer, Compressed, CountTokens
from compress.budget import fit_budget, fits_already


def shorten(
    scorer: AnyScorer,
    query: str,
    texts: Sequence[str],
    options: CompressMethod,
    count_tokens: CountTokens,
    *,
    target_tokens: int | None = None,
) -> list[Compressed]:
    """One `Compressed` a text, in order, `sum(tokens_after) <= target_tokens`; by default the options' own.

    Texts that fit stay whole, and nothing is scored. Raises InvalidBudget.
    """
    target = options.target_tokens if target_tokens is None else target_tokens
    before, whole = fits_already(texts, target, count_tokens)
    if whole is not None:
        return whole
    scored = scorer.score(query, texts, options, rate=target / sum(before))
    return fit_budget(texts, scored, before, target_tokens=target, count_tokens=count_tokens)
