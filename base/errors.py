"""The root of Excerpta's error tree, and the errors that every package may raise.

Every error that a user can meet derives from `ExcerptaError`. Its message names the remedy; its attributes
carry the facts, for programs. `api.http.problems` maps each class to an HTTP problem.
"""

from __future__ import annotations


class ExcerptaError(Exception):
    """Something Excerpta can explain: the message names the remedy, `facts()` the details."""

    def facts(self) -> dict[str, object]:
        """The attributes set on this error, by name: JSON-ready facts for programs."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Overloaded(ExcerptaError):
    """The device's queue is full; nothing was started. Try again after `retry_after_s` seconds."""

    def __init__(self, device: str, waiting: int, capacity: int, retry_after_s: float) -> None:
        super().__init__(
            f"{device} has {waiting} of {capacity} places taken; try again in {retry_after_s:.0f} s."
        )
        self.device = device
        self.waiting = waiting
        self.capacity = capacity
        self.retry_after_s = retry_after_s


class InputTooLong(ExcerptaError):
    """A text has more tokens than the model, or this stage's limit, can read."""

    def __init__(self, what: str, tokens: int, limit: int) -> None:
        super().__init__(f"{what} has {tokens} tokens; at most {limit} are read. Shorten it.")
        self.what = what
        self.tokens = tokens
        self.limit = limit
