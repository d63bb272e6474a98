"""SEAL's scores: the weight of an n-gram, and the score of a passage by its n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALPHA = 2.0
BETA = 0.8
SMOOTHING = 5.0
_SUREST = -1e-9


@dataclass(frozen=True, slots=True)
class Key:
    """An n-gram that scores passages."""

    ids: tuple[int, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A key's place in a passage: token position, and what it adds to the passage's score."""

    key: Key
    at: int
    weight: float


def ngram_weights(
    log_probabilities: ArrayLike,
    counts: ArrayLike,
    total: int,
    lengths: ArrayLike,
    *,
    alpha: float = ALPHA,
    smoothing: float = SMOOTHING,
) -> NDArray[np.float64]:
    """w = max(0, log[p(1-u) / (u(1-p))])^alpha with u = (F+s) / (N+s), for each n-gram (n,).

    p is the n-gram's probability given the question, F its count among the N tokens of the corpus: a
    frequent n-gram must be more probable to weigh the same. Single tokens (length 1) are not raised to
    alpha. SEAL, Bevilacqua et al. 2022, equation 3.

    >>> ngram_weights(np.log([0.5, 0.5]), [5, 5], 995, [1, 2]).round(3).tolist()
    [4.595, 21.115]
    """
    log_p = np.minimum(np.asarray(log_probabilities, np.float64), _SUREST)
    u = (np.asarray(counts, np.float64) + smoothing) / (total + smoothing)
    # A corpus of one repeated token has u = 1: nothing it says can tell passages apart.
    with np.errstate(divide="ignore"):
        odds = log_p - np.log(-np.expm1(log_p)) - np.log(u) + np.log1p(-np.minimum(u, 1.0))
    weights: NDArray[np.float64] = np.maximum(odds, 0.0) ** np.where(np.asarray(lengths) > 1, alpha, 1.0)
    return weights


def place(
    keys: Sequence[Key], positions: Mapping[int, Sequence[int]], *, beta: float = BETA
) -> tuple[float, list[Placed]]:
    """A passage's score, and the keys that make it.

    `positions` holds, for numbers of keys, where they occur in the passage, ascending. Keys are tried in
    their order, best first; each is placed at most once, where it does not overlap an earlier one, and
    adds weight * c(n), with c(n) = 1 - beta + beta * |tokens of n not yet covered| / |tokens of n|: tokens
    that an earlier key covers count little. SEAL, Bevilacqua et al. 2022, section 3.3.

    >>> place([Key((7, 8), 4.0), Key((8, 9), 2.0)], {0: [0], 1: [1, 5]})[0]
    5.2
    """
    taken: set[int] = set()
    covered: set[int] = set()
    placed: list[Placed] = []
    score = 0.0
    for number in sorted(positions):
        key = keys[number]
        at = next((at for at in positions[number] if taken.isdisjoint(range(at, at + len(key.ids)))), None)
        if at is None:
            continue
        tokens = set(key.ids)
        weight = key.weight * (1 - beta + beta * len(tokens - covered) / len(tokens))
        taken.update(range(at, at + len(key.ids)))
        covered |= tokens
        placed.append(Placed(key, at, weight))
        score += weight
    return score, placed


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    number: int | None = None


class KeyMatcher:
    """Finds every occurrence of every key in a passage, in one pass over its tokens."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._root = _Node()
        for number, key in enumerate(keys):
            node = self._root
            for token in key.ids:
                node = node.children.setdefault(token, _Node())
            node.number = number

    def positions(self, passage: Sequence[int]) -> dict[int, list[int]]:
        """Where each key that occurs in the passage begins, ascending, by the key's number."""
        found: dict[int, list[int]] = {}
        for at in range(len(passage)):
            node = self._root
            for end in range(at, len(passage)):
                child = node.children.get(passage[end])
                if child is None:
                    break
                node = child
                if node.number is not None:
                    found.setdefault(node.number, []).append(at)
        return found
