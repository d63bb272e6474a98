"""Groups inputs of similar length, so that little work goes into padding."""

from __future__ import annotations

from collections.abc import Sequence


def plan_batches(lengths: Sequence[int], *, budget: int, call_cost: int = 0) -> list[list[int]]:
    """Splits positions 0..n-1 into batches, longest inputs first; every position is in exactly one.

    A batch never pads to more than `budget` tokens, unless a single input is longer than that. It is
    closed early when its padding would cost more than the fixed cost of one more call, `call_cost`
    tokens. Longest first: when memory is short, the first batch says so.

    >>> plan_batches([5, 100, 6, 90], budget=1000, call_cost=16)
    [[1, 3], [2, 0]]
    """
    batches: list[list[int]] = []
    longest = padding = 0
    for position in sorted(range(len(lengths)), key=lambda at: (-lengths[at], at)):
        padding += longest - lengths[position]
        fits = batches and longest * (len(batches[-1]) + 1) <= budget and padding <= call_cost
        if fits:
            batches[-1].append(position)
        else:
            batches.append([position])
            longest, padding = lengths[position], 0
    return batches
