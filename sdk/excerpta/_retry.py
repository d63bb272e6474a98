"""Retry rules: which delay comes before which retry."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

RETRIED_STATUSES = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Delays of `first_s` doubling to `most_s`, with jitter; `Retry-After` wins up to `obey_s` seconds."""

    retries: int = 2
    first_s: float = 0.5
    most_s: float = 8.0
    obey_s: float = 30.0

    def delay(self, attempt: int, retry_after: str | None = None) -> float:
        """Seconds to wait before retry number `attempt` (from 0)."""
        try:
            asked = float(retry_after) if retry_after else None
        except ValueError:
            asked = None
        if asked is not None and 0 <= asked <= self.obey_s:
            return asked
        return min(self.most_s, self.first_s * 2.0**attempt) * random.uniform(0.75, 1.0)  # noqa: S311


class Deadline:
    """One bound for a whole call, retries included."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; negative when over."""
        return self._end - time.monotonic()
