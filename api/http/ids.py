"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(prefix: str) -> str:
    """`prefix_` and a ULID: 48 bits of milliseconds, 80 random bits, in Crockford's base 32.

    >>> one, two = new_id("job"), new_id("job")
    >>> len(one), one != two
    (30, True)
    """
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = [_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5)]
    return f"{prefix}_{''.join(digits)}"
