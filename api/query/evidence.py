"""Whether the passages found can carry an answer: judged by cheap evidence, before a word is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from base.text.stop_words import english
from base.text.terms import terms_of

THRESHOLD = 0.46
"""The least similarity of a question that is tried; below it nothing is written (docs/figures.md).

The highest at which the training halves of squad2 and nq each lose less than 5 % of what they answer.

To refuse what could be answered is the worse error here: what is written without a source is marked anyway.
"""

_ASKING = frozenset(terms_of(" ".join(english().asking)))
"""Words of questions that say little about what is asked."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer, each from 0 to 1.

    `coverage`: the share of the question's words, weighted by rarity, that the passages have.
    `similarity`: how near the question's tokens are to their nearest tokens in the best passage. It tells
    questions of other collections apart better than a mean of both does.
    """

    coverage: float
    similarity: float

    @property
    def supported(self) -> bool:
        """Whether that is enough: tokens near the question's, and one of its words at least."""
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
    ones there. `frequency` tells how many of the collection's `total` passages have a term.

    >>> weigh("Who eats figs?", ["Wasps eat figs."], similarities=[0.8], frequency=lambda term: 1, total=9)
    Evidence(coverage=1.0, similarity=0.8)
    """
    asked = question_terms(question)
    found = {term for passage in passages for term in terms_of(passage)}
    similarity = min(1.0, max(0.0, max(similarities, default=0.0)))
    return Evidence(coverage(asked, found, frequency=frequency, total=total), similarity)


def question_terms(question: str) -> list[str]:
    """The terms of a question that say what it is about, each once; all terms if nothing is left."""
    terms = list(dict.fromkeys(terms_of(question)))
    return [term for term in terms if term not in _ASKING] or terms


def coverage(
    asked: Collection[str], found: Collection[str], *, frequency: Callable[[str], int], total: int
) -> float:
    """The share of the asked terms that were found, each weighted by its idf; 0 when nothing was asked."""
    weights = {term: math.log1p((total + 0.5) / (frequency(term) + 0.5)) for term in asked}
    whole = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in found) / whole if whole else 0.0
