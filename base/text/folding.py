"""Folds a text as it is matched: compatibility forms are plain, and characters that nobody sees are gone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from typing import TypeAlias

Origins: TypeAlias = list[tuple[int, int]]
"""For each character of a folded text the characters of the text, half-open, that it was made of."""

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff"
_ARABIC = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe"
# Soft hyphens, zero-width spaces and joiners, word joiners, marks of direction, selectors of a glyph, tags.
_UNSEEN = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
_RAISED = "\u00b2\u00b3\u00b9\u2070-\u207b"
_DIGITLIKE = "".join(
    char
    for char in map(chr, chain(range(0x80, 0x3400), range(0x1F100, 0x1F110)))
    if unicodedata.category(char) == "No" and unicodedata.normalize("NFKC", char)[0].isdigit()
)
_FORMS = re.compile(
    rf"""
    (?P<gone>\u00ad[ \t]*\r?\n[ \t]*)           # a word divided at the end of a line
  | (?<=[{_SPACELESS}])(?P<space>\u200b)        # it parts words where no spaces do
  | (?<=[{_ARABIC}])(?P<kept>\u200c)(?=[{_ARABIC}])     # it parts the stem of a Persian word from its ending
  | (?P<unseen>[{_UNSEEN}]+)
  | (?<=\d)(?P<power>(?=[{_RAISED}]))           # 10⁹ is not 109
  | (?P<apart>(?<=\d)(?=[{_DIGITLIKE}]) | (?<=[{_DIGITLIKE}])(?=\d))       # 5½ is not 51/2
    """,
    re.VERBOSE,
)
_UNUSUAL = re.compile(f"[{_UNSEEN}{_RAISED}{_DIGITLIKE}]")
_DASHES = re.compile("[\u2010\u2012\u2013\u2043\u2212]")
_DASH = re.compile(r"[\u2010\u2012\u2043\u2212]|(?<=\w)\u2013(?=\w)")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_WRITTEN = {"space": " ", "kept": "\u200c", "power": "^", "apart": " "}


def fold(text: str) -> str:
    """The text in plain characters, upper and lower case kept; folded once more, it stays the same.

    >>> fold("ＰＰＲ‑９０８７ co\u00adlour ﬁt 10⁹ 5½")
    'PPR-9087 colour fit 10^9 5 1⁄2'
    """
    if text.isascii():
        return text
    return _plain(_FORMS.sub(_written, text) if _UNUSUAL.search(text) else text)


def fold_with_origins(text: str) -> tuple[str, Origins | None]:
    """The folded text and where its characters come from; None where each stands where it stood.

    >>> fold_with_origins("a\u00adﬁ")
    ('afi', [(0, 1), (2, 3), (2, 3)])
    """
    if text.isascii():
        return text, None
    folded = fold(text)
    if folded == text:
        return folded, None
    visible, places = _visible(text)
    return folded, [
        (places[start][0], places[end - 1][1])
        for start, end in _pieces(visible)
        for _ in unicodedata.normalize("NFKC", visible[start:end])
    ]


def _plain(visible: str) -> str:
    plain = unicodedata.normalize("NFKC", visible)
    return _DASH.sub("-", plain) if _DASHES.search(plain) else plain


def _written(found: re.Match[str]) -> str:
    return _WRITTEN.get(found.lastgroup or "", "")


def _visible(text: str) -> tuple[str, Origins]:
    """The text as `_FORMS` rewrites it, before compatibility forms are replaced, and its origins."""
    parts: list[str] = []
    places: Origins = []
    last = 0
    for found in _FORMS.finditer(text):
        start, end = found.span()
        new = _written(found)
        parts += text[last:start], new
        places += ((at, at + 1) for at in range(last, start))
        # What stands between two characters is made of the second of them.
        places += [(start, max(end, start + 1))] * len(new)
        last = end
    parts.append(text[last:])
    places += ((at, at + 1) for at in range(last, len(text)))
    return "".join(parts), places


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The smallest spans that can be normalised one by one; a plain character begins one."""
    last = 0
    for found in _NOT_ASCII.finditer(text):
        first = max(last, found.start() - 1)
        yield from ((at, at + 1) for at in range(last, first))
        start, last = first, found.end()
        for at in range(found.start() or 1, last):
            if at > start and _stand_apart(text[start:at], text[at]):
                yield start, at
                start = at
        yield start, last
    yield from ((at, at + 1) for at in range(last, len(text)))


def _stand_apart(before: str, char: str) -> bool:
    first, second, both = (unicodedata.normalize("NFKC", one) for one in (before, char, before + char))
    return not unicodedata.combining(second[0]) and both == first + second
