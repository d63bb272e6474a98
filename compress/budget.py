"""Keeps the best words of several texts that fit an exact number of the target model's tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compress.base import Compressed, CountTokens, ScoredWords
from compress.errors import InvalidBudget
from compress.rebuild import cut, kept_spans


def fits_already(
    texts: Sequence[str], target_tokens: int, count_tokens: CountTokens
) -> tuple[list[int], list[Compressed] | None]:
    """The token count of each text, and the texts whole when the budget suffices for them."""
    if target_tokens < 0:
        raise InvalidBudget(target_tokens)
    before = [int(count) for count in count_tokens(texts)] if texts else []
    if sum(before) > target_tokens:
        return before, None
    whole = [((0, len(text)),) if text else () for text in texts]
    return before, [
        Compressed(kept, text, count, count) for kept, text, count in zip(whole, texts, before, strict=True)
    ]


def fit_budget(
    texts: Sequence[str],
    scored: Sequence[ScoredWords],
    before: Sequence[int],
    *,
    target_tokens: int,
    count_tokens: CountTokens,
) -> list[Compressed]:
    """Cuts the texts to the longest prefix of the ranking of their words that fits `target_tokens`.

    The cut is found by bisection. Each try is built, and counted by the target model's tokenizer, so the
    budget is met exactly. Protected words rank first, then words by score. Equal scores rank by position, so
    that each text keeps its beginning. A word that exceeds the budget by itself is skipped. `before` are the
    token counts.
    """
    ranking = rank_words(scored)
    ranking = ranking[~np.isin(ranking, _too_long(texts, scored, target_tokens, count_tokens))]
    best = _attempt(texts, scored, ranking[:0], before, count_tokens)
    low, high = 0, len(ranking) + 1
    while high - low > 1:
        middle = (low + high) // 2
        tried = _attempt(texts, scored, ranking[:middle], before, count_tokens)
        if sum(compressed.tokens_after for compressed in tried) <= target_tokens:
            low, best = middle, tried
        else:
            high = middle
    return best


def _too_long(
    texts: Sequence[str], scored: Sequence[ScoredWords], target_tokens: int, count_tokens: CountTokens
) -> list[int]:
    """Words, by their index over all texts, that alone exceed the budget: a base64 blob, a long URL."""
    spans = [
        (text, *span) for text, words in zip(texts, scored, strict=True) for span in words.spans.tolist()
    ]
    # No tokenizer makes more tokens of a word than it has bytes, at most four a character.
    suspects = [at for at, (_, start, end) in enumerate(spans) if 4 * (end - start) > target_tokens]
    counts = count_tokens([spans[at][0][slice(*spans[at][1:])] for at in suspects]) if suspects else []
    return [at for at, count in zip(suspects, counts, strict=True) if count > target_tokens]


def _attempt(
    texts: Sequence[str],
    scored: Sequence[ScoredWords],
    chosen: NDArray[np.int64],
    before: Sequence[int],
    count_tokens: CountTokens,
) -> list[Compressed]:
    """The texts with only the `chosen` words, given by their index over all texts."""
    borders = np.cumsum([len(words.spans) for words in scored])
    keep = np.zeros(int(borders[-1]), dtype=bool)
    keep[chosen] = True
    kept = [
        kept_spans(text, words.spans, without_idle_ends(mask, words.ends))
        for text, words, mask in zip(texts, scored, np.split(keep, borders[:-1]), strict=True)
    ]
    shortened = [cut(text, spans) for text, spans in zip(texts, kept, strict=True)]
    after = [int(count) for count in count_tokens(shortened)]
    return [Compressed(*facts) for facts in zip(kept, shortened, before, after, strict=True)]


def rank_words(scored: Sequence[ScoredWords]) -> NDArray[np.int64]:
    """All words, by their index over all texts, in the order in which they are kept."""
    places = np.concatenate([np.arange(len(words.spans)) for words in scored])
    scores = np.concatenate([words.scores for words in scored])
    protected = np.concatenate([words.protected for words in scored])
    return np.lexsort((places, -scores, ~protected)).astype(np.int64)


def without_idle_ends(keep: NDArray[np.bool_], ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`keep` (n,) without the ends that would follow another end or nothing at all."""
    chosen = np.flatnonzero(keep)
    is_end = ends[chosen]
    idle = is_end & np.concatenate([[True], is_end[:-1]])[: len(is_end)]
    cleaned = keep.copy()
    cleaned[chosen[idle]] = False
    return cleaned
