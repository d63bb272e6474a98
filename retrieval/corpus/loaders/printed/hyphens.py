"""Words that a line end parts: joined, or compounds that keep their hyphen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_HYPHEN = re.compile(r"(?<=\w)[-\u00ad\u2010]$")
_PARTED = re.compile(r"[\w\u2010-]+$")
_FIRST = re.compile(r"\w+(?:[-\u2010]\w+)*")
_WORD = re.compile(r"\w+(?:[-\u2010]\w+)*(?![-\u2010\u00ad]?$)")
# "Vor- und Nachteile": the hyphen stands for a word's other half.
_SUSPENDED = frozenset(
    [
        "and",
        "or",
        "to",
        "und",
        "oder",
        "bis",
        "sowie",
        "bzw",
        "en",
        "of",
        "et",
        "ou",
        "y",
        "o",
        "e",
        "och",
        "eller",
        "og",
        "eller",
    ]
)
_COMPOUND = frozenset(["self", "well", "half", "cross", "ex", "non-self", "quasi", "all"])


class Hyphens:
    """Joins lines as the words of a document ask for."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._known = Counter(
            word.casefold().replace("\u2010", "-") for line in lines for word in _WORD.findall(line)
        )

    def parted(self, text: str, line: str) -> bool:
        """Whether a line goes on with a word that the text before it began."""
        return bool(_HYPHEN.search(text)) and (line[:1].islower() or line[:1].isdigit())

    def joined(self, text: str, line: str) -> str:
        """The text and the line, of which the first ends in a hyphen.

        A soft hyphen goes. A hyphen stays before a capital letter or a digit, after a digit, in a word that
        has another, and where the document has the word with a hyphen and not, or more rarely, without.
        """
        first = _FIRST.match(line)
        if first is None:
            return text + line
        if first[0].casefold() in _SUSPENDED:
            return f"{text} {line}"
        before = _PARTED.search(text)
        left = before[0][:-1] if before else ""
        if text.endswith("\u00ad"):
            return text[:-1] + line
        keep = not first[0][0].islower() or left[-1:].isdigit() or "-" in left or "\u2010" in left
        return text + line if keep or self._is_compound(left, first[0]) else text[:-1] + line

    def _is_compound(self, left: str, right: str) -> bool:
        whole = self._known[(left + right).casefold()]
        parts = self._known[f"{left}-{right}".casefold()]
        if whole or parts:
            return parts > whole
        return left.casefold() in _COMPOUND
