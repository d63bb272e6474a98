"""What a case of the end-to-end tests is: a question, and what its first hit must and must not say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A question about one of the files that were indexed.

    The first hit is of document `first`, or of a row or member of it, and holds each text of `holds`.
    No passage of that file says anything of `lacks`.
    """

    asked: str
    first: str
    holds: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.first}: {self.asked}"
