"""Shortens texts to a common budget of tokens by any scorer: score, select, cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from excerpta.types.compress import CompressMethod

from compress.base import AnyScorer, Compressed, CountTokens, Floats, Loose, ScoredWords, Texts
from compress.budget import fit_budget, fits_already
from compress.relevance import Relevance
from compress.select import select, texts_that_stay


def shorten(
    scorer: AnyScorer,
    query: str,
    given: Texts | Sequence[str],
    options: CompressMethod,
    count_tokens: CountTokens,
    *,
    target_tokens: int | None = None,
) -> list[Compressed]:
    """One `Compressed` a text, in order, `sum(tokens_after) <= target_tokens`; by default the options' own.

    Where the texts have similarities to the question, these are part of every word's score. Texts that fit
    stay whole, and nothing is scored. Raises InvalidBudget.
    """
    source = Loose(given) if isinstance(given, Sequence) else given
    texts = source.texts
    target = options.target_tokens if target_tokens is None else target_tokens
    before, whole = fits_already(texts, target, count_tokens)
    if whole is not None:
        return whole
    weighed = query.strip() and (options.text_weight or options.sentence_weight)
    found = source.similarities() if weighed else None
    relevance = None if found is None else Relevance.of(texts, found)
    scored = _scored(scorer, query, texts, options, rate=target / sum(before), relevance=relevance)
    ranked = select(texts, scored, relevance, options, count_tokens)
    return fit_budget(texts, ranked, before, target_tokens=target, count_tokens=count_tokens)


def _scored(
    scorer: AnyScorer,
    query: str,
    texts: Sequence[str],
    options: CompressMethod,
    *,
    rate: float,
    relevance: Relevance | None,
) -> list[ScoredWords]:
    """The words of each text; none of those that the coarse step drops, which are not scored if it can."""
    share = (rate + 1) / 2 if options.context_rate is None else options.context_rate
    if relevance is None:
        scored = list(scorer.score(query, texts, options, rate=rate))
        stays = texts_that_stay(np.array([_mean(words.scores) for words in scored]), share)
        return [one if keep else _NOTHING for one, keep in zip(scored, stays, strict=True)]
    chosen = np.flatnonzero(texts_that_stay(relevance.texts, share)).tolist()
    read = scorer.score(query, [texts[at] for at in chosen], options, rate=rate)
    known = dict(zip(chosen, read, strict=True))
    return [known.get(at, _NOTHING) for at in range(len(texts))]


_NOTHING = ScoredWords(np.zeros((0, 2), np.int32), np.zeros(0))


def _mean(scores: Floats) -> float:
    return float(scores.mean()) if len(scores) else 0.0
