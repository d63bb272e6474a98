"""Cuts passages so that a prompt fits. The rest of the prompt is never cut."""

from __future__ import annotations

from collections.abc import Sequence


def fair_cap(lengths: Sequence[int], budget: int) -> int:
    """The largest cap with `sum(min(length, cap)) <= budget`: short passages leave room to long ones.

    Without any cut needed it is the longest length. O(n log n).

    >>> fair_cap([10, 100, 100], 110)
    50
    """
    if budget <= 0:
        return 0
    remaining = budget
    ordered = sorted(lengths)
    for position, length in enumerate(ordered):
        share = remaining // (len(ordered) - position)
        if length > share:
            return share
        remaining -= length
    return ordered[-1] if ordered else 0


def first_words(text: str, limit: int) -> str:
    """The first `limit` words of `text` on one line, single spaces between them.

    >>> first_words("one  two\\nthree", 2)
    'one two'
    """
    return " ".join(text.split(maxsplit=limit)[:limit])
