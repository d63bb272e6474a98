"""Keeps the best units of several texts that fit an exact number of the target model's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from base.text.words import Spans
from compress.base import Compressed, CountTokens, Decisions, Floats
from compress.errors import InvalidBudget
from compress.rebuild import cut
from compress.structure.layout import Layout

UNUSED = 0.03
"""The share of the budget that may stay unused while there are units that could fill it."""

_NEAR = 0.001
_REFILLS = 12
_LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Ranked:
    """One text's words as the selector ranks them: spans (n, 2), and (n,) of all others.

    `tokens` are those of each word alone: about what it costs. `units` number the units of the text from 0,
    in order. `protected` words go before all others. `ends` are those of them that may not follow each other.
    """

    layout: Layout
    spans: Spans
    scores: Floats
    tokens: NDArray[np.int64]
    units: NDArray[np.int64]
    protected: NDArray[np.bool_]
    ends: NDArray[np.bool_]


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


class Cutter:
    """Cuts texts down to chosen units, and counts the tokens that are left."""

    def __init__(
        self, texts: Sequence[str], ranked: Sequence[Ranked], before: Sequence[int], count: CountTokens
    ) -> None:
        self._texts, self._ranked, self._before, self._count = texts, ranked, before, count
        sizes = [int(words.units[-1]) + 1 if len(words.units) else 0 for words in ranked]
        self.borders = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.costs = np.concatenate(
            [np.bincount(words.units, words.tokens, size) for words, size in zip(ranked, sizes, strict=True)]
        )

    def cut(self, units: NDArray[np.int64]) -> list[Compressed]:
        """The texts with only these units, by their index over all texts."""
        stays = np.zeros(int(self.borders[-1]), dtype=bool)
        stays[units] = True
        masks = [
            without_idle_ends(stays[first + words.units], words.ends)
            for first, words in zip(self.borders.tolist(), self._ranked, strict=False)
        ]
        kept = [words.layout.kept(words.spans, mask) for words, mask in zip(self._ranked, masks, strict=True)]
        shortened = [cut(text, spans) for text, spans in zip(self._texts, kept, strict=True)]
        after = [int(count) for count in self._count(shortened)]
        decisions = [
            Decisions(words.spans, words.scores, words.units, words.protected, mask)
            for words, mask in zip(self._ranked, masks, strict=True)
        ]
        return [
            Compressed(*facts) for facts in zip(kept, shortened, self._before, after, decisions, strict=True)
        ]

    def too_long(self, target: int) -> NDArray[np.int64]:
        """Units that alone exceed the budget: a base64 blob, a long URL."""
        spans = [
            (text, first + at, start, end)
            for text, first, words in zip(self._texts, self.borders.tolist(), self._ranked, strict=False)
            for at, (start, end) in enumerate(_unit_spans(words).tolist())
            # No tokenizer makes more tokens of a text than it has bytes, at most four a character.
            if 4 * (end - start) > target
        ]
        counts = self._count([text[start:end] for text, _, start, end in spans]) if spans else []
        found = [at for (_, at, _, _), count in zip(spans, counts, strict=True) if count > target]
        return np.array(found, dtype=np.int64)


def fit_budget(
    texts: Sequence[str],
    ranked: Sequence[Ranked],
    before: Sequence[int],
    *,
    target_tokens: int,
    count_tokens: CountTokens,
) -> list[Compressed]:
    """Cuts the texts to the first units of their common ranking that fit `target_tokens`.

    The longest beginning of the ranking is found by binary search. Each try is built, and counted by the
    target model's tokenizer, so the budget is met from below. The unit that no longer fits is left out, and
    the next ones are tried, until less than 3% of the budget is unused. `before` are the token counts.
    """
    cutter = Cutter(texts, ranked, before, count_tokens)
    ranking = rank_units(ranked, cutter.borders)
    ranking = ranking[~np.isin(ranking, cutter.too_long(target_tokens))]
    chosen = ranking[:0]
    best = cutter.cut(chosen)
    for _ in range(_REFILLS):
        count, best = _longest(cutter, chosen, ranking, best, target_tokens)
        chosen, ranking = np.concatenate([chosen, ranking[:count]]), ranking[count + 1 :]
        if not len(ranking) or _tokens(best) >= (1 - UNUSED) * target_tokens:
            break
    return best


def _longest(
    cutter: Cutter, chosen: NDArray[np.int64], more: NDArray[np.int64], best: list[Compressed], target: int
) -> tuple[int, list[Compressed]]:
    """How many units of `more` fit beside the chosen ones, and the texts with them.

    A try is made where the words' own tokens say that the budget ends, corrected by the try before; every
    third try halves. Of a long text not the very last units are looked for.
    """
    costs = np.concatenate([[0], np.cumsum(cutter.costs[more])])
    low, high, used, share = 0, len(more) + 1, _tokens(best), 1.0
    tries = 0
    while high - low > 1 and used < (1 - _NEAR) * target:
        tries += 1
        guess = int(np.searchsorted(costs, costs[low] + (target - used) / share, side="right")) - 1
        middle = min(max(guess, low + 1), high - 1) if tries % 3 else (low + high) // 2
        tried = cutter.cut(np.concatenate([chosen, more[:middle]]))
        tokens = _tokens(tried)
        share = max((tokens - used) / max(float(costs[middle] - costs[low]), 1.0), _LEAST_SHARE)
        if tokens <= target:
            low, best, used = middle, tried, tokens
        else:
            high = middle
    return low, best


def rank_units(ranked: Sequence[Ranked], borders: NDArray[np.int64]) -> NDArray[np.int64]:
    """All units, by their index over all texts, in the order in which they are kept.

    Those with a protected word rank first, then all by the mean score of their words. Equal scores rank by
    place, so that each text keeps its beginning.
    """
    owners = np.concatenate([words.units + first for words, first in zip(ranked, borders, strict=False)])
    total = int(borders[-1])
    sizes = np.maximum(np.bincount(owners, minlength=total), 1)
    scores = np.bincount(owners, np.concatenate([words.scores for words in ranked]), total) / sizes
    protected = np.bincount(owners, np.concatenate([words.protected for words in ranked]), total) > 0
    places = np.arange(total) - np.repeat(borders[:-1], np.diff(borders))
    return np.lexsort((places, -scores, ~protected)).astype(np.int64)


def without_idle_ends(keep: NDArray[np.bool_], ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`keep` (n,) without the ends that would follow another end or nothing at all."""
    chosen = np.flatnonzero(keep)
    is_end = ends[chosen]
    idle = is_end & np.concatenate([[True], is_end[:-1]])[: len(is_end)]
    cleaned = keep.copy()
    cleaned[chosen[idle]] = False
    return cleaned


def _unit_spans(words: Ranked) -> Spans:
    """The characters (u, 2) from the beginning of each unit's first word to the end of its last."""
    firsts = np.flatnonzero(np.diff(words.units, prepend=-1))
    lasts = np.flatnonzero(np.diff(words.units, append=-1))
    spans: Spans = np.stack([words.spans[firsts, 0], words.spans[lasts, 1]], axis=1)
    return spans


def _tokens(texts: Sequence[Compressed]) -> int:
    return sum(one.tokens_after for one in texts)
