"""What a user should know about a file that was read all the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """A file was read, but in part, or by a guess: `text` says which part, or what was guessed.

    `whole` is False where something that a reader would see was left out.
    """

    name: str
    text: str
    whole: bool = True
