"""Counts what a reader of a document sees and its text has not, for a remark."""

from __future__ import annotations

from collections import Counter

from retrieval.corpus.remarks import Remark


class Omissions:
    """What was left out of one document, by kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """One more; `what` in the singular, such as "chart" or "sign | of a font"."""
        self._counts[what] += 1

    def remark(self, name: str) -> Remark | None:
        """What was left out; None if nothing was.

        >>> omissions = Omissions(); omissions.add("chart"); omissions.add("chart")
        >>> omissions.remark("a.docx").text
        'what stands in 2 charts was not read'
        """
        if not self._counts:
            return None
        parts = [f"{count} {_named(what, count)}" for what, count in self._counts.items()]
        listed = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
        return Remark(name, f"what stands in {listed} was not read", whole=False)


def _named(what: str, count: int) -> str:
    word, gap, rest = what.partition(" | ")
    return f"{word}{'s' if count > 1 else ''}{' ' if gap else ''}{rest}"
