"""Where sentences end: a small rule-based splitter that gives offsets.

Made for chunking, so it errs on the side of not cutting: a missed end makes a passage a little
longer or shorter, a wrong one tears "Dr. Smith" apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NEWLINE = r"(?>\r\n|\n|\r)"
_END = re.compile(
    rf"(?P<paragraph>{_NEWLINE}[^\S\r\n]*{_NEWLINE}\s*)"
    rf"|(?P<block>{_NEWLINE}[ \t]{{0,8}}(?=[-*+•‣][ \t]|\d{{1,3}}[.)][ \t]|[|>#]|```|~~~))"
    r"|(?P<wide>[。！？｡．।॥؟۔]+[”’»›)\]}」』】）〉》]*)"
    r"|(?P<stop>(?<![.!?…])[.!?…]++[\"'”’»›)\]}」』*_`]*+(?:\[\d{1,3}\])*+)(?=\s)"
)
_BLANK_LINE = re.compile(rf"[^\S\r\n]*{_NEWLINE}[^\S\r\n]*(?:[\r\n]|$)")
_LAST_WORD = re.compile(r"[^\W_][\w.’'-]*$")
_NEXT_WORD = re.compile(r"[\W_]*([^\W_]*)")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


# Something that belongs to it always follows.
_LEADING = _words("vs cf viz e.g i.e eg ie resp approx incl excl esp z.b d.h u.a bzw vgl mr mrs dr")
# The same, but only when written with a capital: "Gen. Lee", and not "the first gen. Later".
_TITLES = _words("ms mx prof st rev hon gen col maj capt cmdr lt sgt sen rep gov pres mt messrs")
# Followed by a number or a letter: "No. 5", and not "She said no. Then".
_NUMBERED = _words(
    "fig figs eq eqs sec secs ch chap vol vols no nos nr p pp art arts par ref refs tab thm ca "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
# After "U.S." a capital may be a name ("U.S. Army"); these words open a sentence.
_OPENERS = _words(
    "a an the this that these those it its he she we they i you his her our their in on at as if but and "
    "so however when while after before since there here for from with what who why how"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A half-open span without whitespace at its ends; `ends_paragraph` if a blank line follows."""

    start: int
    end: int
    ends_paragraph: bool


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[Sentence]:
    """The sentences of `text[start:end]`, in order; together they cover all but whitespace.

    Blank lines, list items, table rows and quoted lines always end one. In linear time.

    >>> text = 'Dr. Smith paid $3.50. "Why?" he asked. It is so.'
    >>> [text[s.start : s.end] for s in sentences(text)]
    ['Dr. Smith paid $3.50.', '"Why?" he asked.', 'It is so.']
    """
    end = len(text) if end is None else end
    begin = start
    for found in _END.finditer(text, start, end):
        if found.lastgroup == "stop" and not _ends_sentence(text, found, end):
            continue
        keep = found.end() if found.lastgroup in ("stop", "wide") else found.start()
        if sentence := _trimmed(text, begin, keep, end):
            yield sentence
        begin = found.end()
    if sentence := _trimmed(text, begin, end, end):
        yield sentence


def _trimmed(text: str, start: int, end: int, limit: int) -> Sentence | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return None
    return Sentence(start, end, end == limit or _blank_line_at(text, end, limit))


def _blank_line_at(text: str, position: int, limit: int) -> bool:
    return _BLANK_LINE.match(text, position, limit) is not None


def _ends_sentence(text: str, found: re.Match[str], limit: int) -> bool:
    following = _NEXT_WORD.match(text, found.end(), min(found.end() + 40, limit))
    next_word = following[1] if following else ""
    if next_word[:1].islower():
        return False
    mark = text[found.start()]
    if mark != "." or text[found.start() : found.start() + 2] == "..":
        return True
    before = _LAST_WORD.search(text, max(0, found.start() - 24), found.start())
    return before is None or not _abbreviates(
        before[0], next_word, opens_line=_opens_line(text, before.start())
    )


def _abbreviates(word: str, next_word: str, *, opens_line: bool) -> bool:
    """Whether the full stop after `word` belongs to it and ends no sentence."""
    folded = word.lower()
    if folded in _LEADING or (folded in _TITLES and word[0].isupper()):
        return True
    if folded in _NUMBERED:
        return next_word[:1].isdigit() or (len(next_word) == 1 and next_word not in "AI")
    if len(word) == 1 and word.isalpha():
        return word.isupper() and word != "I"
    if word.isdigit():
        return opens_line and len(word) <= 3
    return _DOTTED.fullmatch(word) is not None and next_word.lower() not in _OPENERS


def _opens_line(text: str, position: int) -> bool:
    before = text[max(0, position - 9) : position].rstrip(" \t")
    return position == 0 or (not before and position <= 9) or before.endswith(("\n", "\r"))
