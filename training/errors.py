"""Why a training cannot begin or go on."""

from __future__ import annotations

from collections.abc import Sequence

from base.errors import ExcerptaError


class NoCheckpoint(ExcerptaError):
    """There is nothing to resume."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file} is not there, so nothing can be resumed; leave --resume out to begin.")
        self.file = file


class CheckpointMismatch(ExcerptaError):
    """A checkpoint belongs to another training."""

    def __init__(self, file: str, differing: Sequence[str]) -> None:
        super().__init__(
            f"{file} belongs to a training with another {', '.join(differing)}; "
            "give the same options, or leave --resume out to begin again."
        )
        self.file = file
        self.differing = list(differing)


class CheckpointCorrupt(ExcerptaError):
    """A checkpoint cannot be read."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file} cannot be read ({reason}); leave --resume out to begin again.")
        self.file = file
        self.reason = reason


class InvalidTrainingData(ExcerptaError):
    """A file of labelled sentences is missing or has a line that cannot be used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
