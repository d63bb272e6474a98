"""Merge policy: chooses small segments of similar size, and segments that are mostly deleted."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from retrieval.threads import one_core_for_faiss

_NICENESS = 15
SMALLEST = 256
"""Passages up to which segments are all of the smallest tier."""


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """Segments are in one tier when their sizes are within a factor of `fan_in`.

    As soon as a tier has `fan_in` segments they become one, so n passages lie in fewer than
    fan_in * log(n) segments, and each passage is copied log(n) times in all. A segment of which
    `dead_share` is dead is written anew. No segment grows beyond `largest` passages by merging.
    """

    fan_in: int = 8
    dead_share: float = 0.2
    largest: int = 10_000_000

    def choose(self, sizes: Sequence[tuple[int, float]], *, budget: int | None = None) -> list[int]:
        """Places of the segments to merge next, ascending; none when all is well.

        Where there are more than `budget` passages to copy, that is left for another time.
        `sizes` has each segment's live passages and the share of it that is dead, the oldest first. One
        place alone is a segment to be written anew.

        >>> MergePolicy(fan_in=3).choose([(5000, 0.0), (10, 0.0), (12, 0.0), (9, 0.1)])
        [1, 2, 3]
        >>> MergePolicy().choose([(5000, 0.1), (10, 0.5)])
        [1]
        """
        tiers: dict[int, list[int]] = {}
        for place, (passages, _) in enumerate(sizes):
            tiers.setdefault(self._tier(passages), []).append(place)
        for _, places in sorted(tiers.items()):
            if len(places) >= self.fan_in and (group := self._within(places, sizes, budget)):
                return group
        return self._dead(sizes, self.dead_share, budget)

    def choose_newest(self, sizes: Sequence[tuple[int, float]], *, added: int) -> list[int]:
        """Places of the segments that a job of `added` passages left, and no more than twice as much.

        >>> MergePolicy().choose_newest([(5000, 0.0), (60, 0.0), (50, 0.0), (40, 0.0)], added=90)
        [1, 2, 3]
        """
        group: list[int] = []
        left = min(2 * added, self.largest)
        for place in reversed(range(len(sizes))):
            left -= sizes[place][0]
            if left < 0:
                break
            group.insert(0, place)
        return group if len(group) > 1 else []

    def choose_all(self, sizes: Sequence[tuple[int, float]], *, budget: int | None = None) -> list[int]:
        """Places whose merging leaves as few segments as the largest size allows, and nothing dead.

        >>> MergePolicy(largest=100).choose_all([(120, 0.0), (60, 0.0), (50, 0.0), (40, 0.0)])
        [1, 3]
        """
        return self._within(range(len(sizes)), sizes, budget) or self._dead(sizes, math.ulp(0), budget)

    def _tier(self, passages: int) -> int:
        return max(0, math.ceil(math.log(max(1, passages) / SMALLEST, self.fan_in)))

    def _within(
        self, places: Sequence[int], sizes: Sequence[tuple[int, float]], budget: int | None
    ) -> list[int]:
        """The oldest place and those that with it stay within the largest size; two at least.

        Where none fits with the oldest, the next one is tried.
        """
        for first in range(len(places)):
            group: list[int] = []
            total = 0
            for place in places[first:]:
                if total + sizes[place][0] <= self.largest:
                    total += sizes[place][0]
                    group.append(place)
            if len(group) > 1:
                return group if budget is None or total <= budget else []
        return []

    def _dead(self, sizes: Sequence[tuple[int, float]], least: float, budget: int | None) -> list[int]:
        """The oldest segment of which that share is dead."""
        most = math.inf if budget is None else budget
        return [place for place, (size, share) in enumerate(sizes) if share >= least and size <= most][:1]


def yield_to_others() -> None:
    """Makes this thread, for good, work on one core only, and only when no other thread wants it."""
    one_core_for_faiss()
    with suppress(OSError, AttributeError):  # a system that has no such priorities merges all the same
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
