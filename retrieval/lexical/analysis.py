"""How a question becomes weighted terms, by the name of the analysis that an index was made by."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from base.text import earlier_terms, terms
from base.text.terms import PlacedTerms

CURRENT = terms.NAME
"""The analysis of new segments."""


def _earlier(question: str) -> PlacedTerms:
    return PlacedTerms([(term, 0, 0) for term in earlier_terms.terms_of(question)], [])


QUESTIONS: Mapping[str, Callable[[str], PlacedTerms]] = {
    CURRENT: terms.asked_terms,
    earlier_terms.NAME: _earlier,
}
"""What a question is searched by in a segment of each analysis; merges read texts by the current one."""


def weighted(question: PlacedTerms, known: Container[str]) -> Iterator[tuple[str, float]]:
    """The terms that a question is searched by, each with its weight: words, and the `known` spellings.

    Words of letters that a hyphen or the like joins ("x-ray") share the weight of the words with their joined
    form, which says nothing more. Identifiers and numbers weigh fully in each form.
    """
    shares: dict[int, float] = {}
    for spelling, start, end in question.spellings:
        if spelling in known:
            parts = [at for at, (_, first, past) in enumerate(question.words) if start <= first < past <= end]
            share = len(parts) / (len(parts) + 1) if spelling.isalpha() and len(parts) > 1 else 1.0
            shares.update((at, min(share, shares.get(at, 1.0))) for at in parts)
            yield spelling, share
    for at, (word, _, _) in enumerate(question.words):
        yield word, shares.get(at, 1.0)
