"""The order in which questions are learnt."""

from __future__ import annotations

import random
from collections.abc import Iterator


def endless(count: int, rng: random.Random) -> Iterator[int]:
    """Places of a set of `count`, round after round, each in another order."""
    while True:
        yield from rng.sample(range(count), count)
