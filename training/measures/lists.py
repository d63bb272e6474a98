"""How well letters rank held-out lists: MRR, the letters that come first, and agreement between orders."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.stats import kendalltau

from training.data.lists import ListSet, PassageList, shown

Scores = Callable[[str, Sequence[str]], Sequence[float]]
"""Scores of passages for a question, a higher one is better."""


@dataclass(frozen=True, slots=True)
class ListScores:
    """`mrr` over `lists`; `first` counts the place that came first; `tau` is Kendall's, over three orders."""

    mrr: float
    first: tuple[int, ...]
    tau: float
    lists: int


def held_lists(sets: Sequence[ListSet], count: int, size: int, seed: int) -> list[PassageList]:
    """`count` lists of `size` passages with one question each, as many of every set."""
    rng = random.Random(seed)
    share = -(-count // len(sets))
    return [
        shown(data, number, size=size, most=1, rng=rng, neighbours=False)
        for data in sets
        for number in rng.sample(range(len(data.asked)), min(share, len(data.asked)))
    ]


def measure(score: Scores, lists: Sequence[PassageList], *, turned: int = 0, seed: int = 0) -> ListScores:
    """MRR of each list as it stands; the first `turned` lists are ranked in two other orders as well."""
    rng = random.Random(seed)
    reciprocal, agreement = 0.0, []
    first = [0] * max(len(one.passages) for one in lists)
    for number, one in enumerate(lists):
        question, right = one.asked[0]
        found = list(score(question, one.passages))
        order = sorted(range(len(found)), key=lambda at: -found[at])
        reciprocal += 1 / (order.index(right) + 1)
        first[order[0]] += 1
        if number < turned:
            agreement += [_agreement(score, one, found, rng) for _ in range(2)]
    tau = sum(agreement) / len(agreement) if agreement else 1.0
    return ListScores(reciprocal / len(lists), tuple(first), tau, len(lists))


def together(parts: Sequence[ListScores]) -> ListScores:
    """The scores over the lists of all parts."""
    lists = sum(one.lists for one in parts)
    return ListScores(
        sum(one.mrr * one.lists for one in parts) / lists,
        tuple(map(sum, zip(*(one.first for one in parts), strict=True))),
        sum(one.tau for one in parts) / len(parts),
        lists,
    )


def _agreement(score: Scores, one: PassageList, found: Sequence[float], rng: random.Random) -> float:
    """Kendall's tau between a list's scores and those in another order."""
    turned = rng.sample(range(len(found)), len(found))
    again = score(one.asked[0][0], [one.passages[at] for at in turned])
    back = [0.0] * len(found)
    for place, at in enumerate(turned):
        back[at] = again[place]
    return float(kendalltau(found, back).statistic)
