"""Checks the words of a collection that came from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.lexical.bm25 import Bm25
from retrieval.lexical.terms import Terms
from retrieval.trials import FOUND, TRIED, hold, rises, whole


def examine(segments: Sequence[Terms], passages: Sequence[int]) -> None:
    """Checks and searches the words of all segments, which have so many passages. Raises ValueError."""
    for terms, count in zip(segments, passages, strict=True):
        hold(terms.passages == count, "numbers of passages")
        _check_terms(terms)
    bm25 = Bm25(segments)
    for terms in segments:
        bm25.search(" ".join(terms.vocabulary[:TRIED]), limit=FOUND, allowed=None)


def _check_terms(terms: Terms) -> None:
    hold(type(terms.vocabulary) is list and all(type(one) is str for one in terms.vocabulary), "words")
    hold(rises(terms.starts, 0, len(terms.terms)), "words")
    hold(all(map(whole, (terms.terms, terms.counts, terms.lengths))), "words")
    hold(int(terms.terms.min(initial=0)) >= 0 and int(terms.counts.min(initial=1)) >= 1, "words")
    hold(int(terms.lengths.min(initial=0)) >= 0, "words")
