"""Eviction: small strategies that give each block a priority when a tier is full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

EvictionName: TypeAlias = Literal["lru", "lfu", "gdsf"]
EVICTIONS: tuple[EvictionName, ...] = get_args(EvictionName)


@dataclass(slots=True)
class Use:
    """Statistics of one block: bytes, seconds of encoding, number of uses, number of the last use."""

    size: int
    seconds: float
    times: int
    last: int


class Eviction(Protocol):
    """The block with the lowest priority goes first; of equal ones, the one used least recently."""

    def priority(self, use: Use) -> float:
        """The priority of a block that was used just now."""
        ...

    def evicted(self, priority: float) -> None:
        """Called with the priority of an evicted block."""
        ...


class LRU:
    """Least recently used."""

    def priority(self, use: Use) -> float:
        """The number of its last use."""
        return use.last

    def evicted(self, priority: float) -> None:
        """Learns nothing."""


class LFU:
    """Least frequently used."""

    def priority(self, use: Use) -> float:
        """How often it was used."""
        return use.times

    def evicted(self, priority: float) -> None:
        """Learns nothing."""


class GDSF:
    """Greedy dual size frequency (Cherkasova 1998): seconds saved a byte and use, with ageing.

    `clock + times * seconds / size`; the clock is the priority of what went last, so what was popular
    long ago does not stay for ever. Seconds and bytes are both nearly proportional to tokens, so among
    blocks of one model this is LFU with ageing.
    """

    def __init__(self) -> None:
        self._clock = 0.0

    def priority(self, use: Use) -> float:
        """The clock and what the block is worth."""
        return self._clock + use.times * max(use.seconds, 1e-6) / max(use.size, 1)

    def evicted(self, priority: float) -> None:
        """Sets the clock."""
        self._clock = max(self._clock, priority)


_STRATEGIES: Mapping[EvictionName, Callable[[], Eviction]] = {"lru": LRU, "lfu": LFU, "gdsf": GDSF}


def make_eviction(name: EvictionName) -> Eviction:
    """A strategy by its name; each tier needs one of its own."""
    return _STRATEGIES[name]()
