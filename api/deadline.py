"""The one deadline of an orderly end: every part that closes takes from what is left of it."""

from __future__ import annotations

import time


class Deadline:
    """Runs from `begin` on, for `seconds`. Parts that close before it begins begin it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until: float | None = None

    def begin(self) -> None:
        """Starts the time; later calls change nothing."""
        if self._until is None:
            self._until = time.monotonic() + self.seconds

    def share(self, part: float) -> float:
        """Seconds that one part of the service may take: that part of what is left.

        >>> Deadline(10).share(0.5) <= 5
        True
        """
        self.begin()
        assert self._until is not None
        return max(0.0, self._until - time.monotonic()) * part
