"""Evidence: decides from cheap measures whether the passages support an answer, before one is generated."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from base.text.stop_words import english
from base.text.terms import analysed, asked_terms, terms_of

THRESHOLD = 0.46
"""The least similarity at which a question is answered (docs/figures.md).

It is the highest threshold at which the training halves of squad2 and nq each lose less than 5 % of the
questions that they answer. Refusing an answerable question is the worse error: an answer without a source is
marked anyway.
"""

_ASKING = frozenset(terms_of(" ".join(english().asking)))
"""Common words of questions, which are ignored."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for an answer, each measure from 0 to 1.

    `coverage`: the share of the question's words, weighted by rarity, that the passages have.
    `similarity`: the mean cosine of the question's tokens to their nearest tokens in the best passage. It
    separates questions of other collections better than the mean of both measures.
    """

    coverage: float
    similarity: float

    @property
    def supported(self) -> bool:
        """Whether the evidence is enough: similar tokens, and at least one of the question's words."""
        return self.similarity >= THRESHOLD and self.coverage > 0


def weigh(
    question: str,
    passages: Sequence[str],
    *,
    similarities: Sequence[float],
    frequency: Callable[[str], int],
    total: int,
) -> Evidence:
    """The evidence that `passages` hold for an answer to `question`.

    `similarities` has one number a passage: the mean cosine of the question's tokens to their nearest
    ones there. `frequency` gives the number of the collection's `total` passages that have a term.

    >>> weigh("Who eats figs?", ["Wasps eat figs."], similarities=[0.8], frequency=lambda term: 1, total=9)
    Evidence(coverage=1.0, similarity=0.8)
    """
    asked = question_terms(question)
    found = _found(question, passages)
    similarity = min(1.0, max(0.0, max(similarities, default=0.0)))
    return Evidence(coverage(asked, found, frequency=frequency, total=total), similarity)


def _found(question: str, passages: Sequence[str]) -> set[str]:
    """The terms of the passages, and those words of the question that they have in another spelling."""
    found = {term for passage in passages for terms in analysed(passage) for term in terms}
    words, spellings = asked_terms(question)
    for spelling, start, end in spellings:
        if spelling in found:
            found.update(word for word, first, last in words if start <= first and last <= end)
    return found


def question_terms(question: str) -> list[str]:
    """The content terms of a question, each once; all terms if none is left."""
    terms = list(dict.fromkeys(terms_of(question)))
    return [term for term in terms if term not in _ASKING] or terms


def coverage(
    asked: Collection[str], found: Collection[str], *, frequency: Callable[[str], int], total: int
) -> float:
    """The share of the question's terms that were found, weighted by idf; 0 without any terms."""
    weights = {term: math.log1p((total + 0.5) / (frequency(term) + 0.5)) for term in asked}
    whole = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in found) / whole if whole else 0.0
