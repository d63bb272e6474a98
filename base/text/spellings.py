"""Spellings: the forms in which an identifier or a number may be written beside the one that a text has.

"PPR-9087" is spelled "ppr9087" too, so that it is found by it. What stands between the words of an identifier
says little, and is left out of the joined form. Between digits a dot, a comma and a colon stay (a comma as a
dot): version 2.31 is not 23.1. All texts are in small letters, but for `of_humps`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

Spelling: TypeAlias = tuple[str, int, int]
"""A word or a spelling, and its characters, half-open."""

_RUNS = re.compile(r"\d+|\D+")
_RUNS_OF_A_WORD = 3
"""A word of more runs of letters and digits is a key or a hash: its parts say nothing."""
_PART = 3
"""Shorter parts of a word, such as the two of "p53", say too little."""
_LONGEST = 64
_PLAIN_DIGITS = 5
"""Groups of fewer digits with a hyphen between them are a range rather than a number: 5-10."""
_SPACED_DIGITS = range(7, 16)
_WINDOW = 6

_POINTS = {".": ".", ",": ".", "٫": ".", ":": ":"}
_BINDING = re.compile(r"[-\u2013.@\u200c]|_+")
_GAP = re.compile(r"[-\u2013-\u2015./@:,٫\u200c]|_+| ?°?|\) ?| \(")
_SHORT = 5
_UNIT = 3
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)+")
_SPACES_INSIDE = re.compile(r"\d(?: \(?|\) ?)\d\d")
_BETWEEN_GROUPS = r"(?:[ .-]|\) ?| \()"
_SPACED = re.compile(rf"\d(?<![^\W_]\d)\d{{0,4}}(?:{_BETWEEN_GROUPS}\d{{2,8}}){{1,6}}(?![^\W_])")
_THOUSANDS = re.compile(
    r"\d(?<![^\W_]\d)(?<!\d[ .,]\d)\d{0,2}(?P<groups>(?: \d{3})+)(?:[.,](?P<decimals>\d+))?(?![^\W_])(?! \d)"
)
_THOUSAND = re.compile(r"\d{1,3}\.\d{3}")
_LETTERS_BEFORE = re.compile(r"(?<![^\W_])[A-Za-z]+\Z")
_LETTERS_FROM = re.compile(r"[A-Za-z]+(?![^\W_])")
_HUMP = re.compile(r"[A-Z](?<=[a-z][A-Z])")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OPEN = r"\s(\[{\"'=:;,^<>|/$€£¥"
_MARKED = re.compile(
    rf"""
    [-\u2013.+\#] (?:
        (?: (?<=[^\W\d_]\+)\+ | (?<=[^\W\d_]\#) ) (?![\w+#])                      # C++, F#
      | (?<=[-\u2013]) (?<![^{_OPEN}].) (?P<negative>\d+(?:[.,]\d+)*) (?!\d|-\w)             # -5
      | (?<=\.) (?<![^{_OPEN}]\.) (?P<name>[a-z][a-z\d]+) (?![\w.])                # .NET
    )
    """,
    re.VERBOSE,
)
_WORD_BEFORE = re.compile(r"(?<![^\W_])([^\W_]{1,12})\Z")


def of_chunk(words: Sequence[Spelling], chunk: str) -> list[Spelling]:
    """The spellings of words that only signs part, which `chunk` is made of."""
    if len(words) == 1:
        return _parts(words[0])
    end = words[-1][2]
    gaps = _gaps(words, chunk)
    whole = written_as_one(words, chunk)
    found: list[Spelling] = []
    if whole and _belong_together(words, gaps):
        found.append((whole, 0, end))
        if _THOUSAND.fullmatch(whole):  # 1.000 is one, or a thousand
            found.append((whole.replace(".", ""), 0, end))
    if whole.isalpha():
        return found
    for word in words:
        found += _parts(word)
    if len(words) > 2:
        found += _inside(words, gaps, chunk)
    return found


def written_as_one(words: Sequence[Spelling], chunk: str) -> str:
    """The words of a chunk in one, "" where that would be too long."""
    return _join(words, _gaps(words, chunk)) if len(chunk) <= _LONGEST else ""


def is_short(word: str) -> bool:
    """Whether a word is short enough to be the first part of an identifier with a space: RTX 4090."""
    return word.isalpha() and len(word) <= _SHORT


def is_unit(word: str) -> bool:
    """Whether a word may be the unit of a number: 10 mm."""
    return word.isalpha() and len(word) <= _UNIT


def of_spaced_numbers(text: str) -> Iterator[Spelling]:
    """Numbers whose groups are parted by spaces: 1 000 000 and (030) 123 4567."""
    if not _SPACES_INSIDE.search(text):
        return
    taken = set()
    for found in _THOUSANDS.finditer(text):
        start, end = found.start(), found.end("groups")
        taken.add((start, end))
        whole = plain(text[start:end].replace(" ", ""))
        yield whole, start, end
        if found["decimals"]:
            yield f"{whole}.{plain(found['decimals'])}", *found.span()
    for found in _SPACED.finditer(text):
        written = found[0]
        digits = "".join(filter(str.isdecimal, written))
        spaced = any(sign in written for sign in " ()")
        if spaced and len(digits) in _SPACED_DIGITS and found.span() not in taken:
            yield plain(digits), *found.span()


def of_marks(text: str) -> Iterator[Spelling]:
    """Words with a sign that makes them another word (C++, .NET), and negative numbers."""
    for found in _MARKED.finditer(text):
        if found["negative"]:
            yield "-" + plain(found["negative"]).replace(",", "."), *found.span()
        elif found["name"]:
            yield found[0], *found.span()
        elif word := _WORD_BEFORE.search(text, max(0, found.start() - 13), found.start()):
            yield word[1] + found[0], word.start(), found.end()


def of_humps(text: str, common: frozenset[str]) -> Iterator[Spelling]:
    """The words of getUserName; `text` has the letters it was written in."""
    done = 0
    for hump in _HUMP.finditer(text):
        if hump.start() < done:
            continue
        first = _LETTERS_BEFORE.search(text, max(done, hump.start() - _LONGEST), hump.start())
        rest = _LETTERS_FROM.match(text, hump.start())
        done = hump.end() if rest is None else rest.end()
        if first and rest:
            yield from _humps(text, first.start(), rest.end(), common)


def _humps(text: str, start: int, end: int, common: frozenset[str]) -> Iterator[Spelling]:
    parts = [one.span() for one in _HUMPS.finditer(text, start, end)]
    least = 2 if text[start].islower() else _PART
    if min(last - first for first, last in parts) > 1:  # not iPhone, mRNA
        for first, last in parts:
            word = text[first:last].lower()
            if len(word) >= least and word not in common:
                yield word, first, last


def of_question(words: Sequence[Spelling], text: str) -> Iterator[Spelling]:
    """What a question's neighbouring words may be the parts of, also where spaces part them.

    It makes many forms that no text has; an index knows which there are.
    """
    if not words:
        return
    gaps = _gaps(words, text)
    bound = [False, *(bool(_BINDING.fullmatch(gap)) for gap in gaps), False]
    cut = _inside_numbers(words, gaps)
    for first, word in enumerate(words):
        yield from _parts(word)
        for past in range(first + 2, min(first + _WINDOW, len(words)) + 1):
            if cut[first]:  # 2.5 mm is not 5 mm
                break
            if not _GAP.fullmatch(gaps[past - 2]):
                break
            inside, between = words[first:past], gaps[first : past - 1]
            # Letters alone are joined as a whole: a question for U.S.A. is none for "us".
            part = bound[first] or bound[past]
            if _belong_together(inside, between) and not (part and not _digits(inside)):
                joined = _join(inside, between)
                yield joined, word[1], inside[-1][2]
                if _THOUSAND.fullmatch(joined) and not part:
                    yield joined.replace(".", ""), word[1], inside[-1][2]


def _inside(words: Sequence[Spelling], gaps: Sequence[str], chunk: str) -> Iterator[Spelling]:
    """What a longer chunk has in it: letters beside digits, a version, a time."""
    cut = _inside_numbers(words, gaps)
    for at in range(len(words) - 1):
        pair = words[at : at + 2]
        if not cut[at] and _is_mixed(pair):
            yield _join(pair, gaps[at:]), pair[0][1], pair[1][2]
    for found in _NUMBERS.finditer(chunk):
        yield plain(found[0].replace(",", ".")), *found.span()


def _gaps(words: Sequence[Spelling], text: str) -> list[str]:
    return [text[one[2] : other[1]] for one, other in pairwise(words)]


def _inside_numbers(words: Sequence[Spelling], gaps: Sequence[str]) -> list[bool]:
    """Whether each word begins behind the point of a number."""
    pairs = zip(words, gaps, words[1:], strict=False)
    return [
        False,
        *(gap in _POINTS and one[0][-1:].isdecimal() and two[0][:1].isdecimal() for one, gap, two in pairs),
    ]


def _digits(words: Sequence[Spelling]) -> int:
    return sum(map(str.isdecimal, "".join(word for word, _, _ in words)))


def _is_mixed(words: Sequence[Spelling]) -> bool:
    return 0 < _digits(words) < sum(len(word) for word, _, _ in words)


def _belong_together(words: Sequence[Spelling], gaps: Sequence[str]) -> bool:
    """Whether words are one identifier or number, by what parts them."""
    digits = _digits(words)
    if not digits:
        return all(map(_BINDING.fullmatch, gaps))
    if digits < sum(len(word) for word, _, _ in words):
        return True
    spaced = any(" " in gap for gap in gaps)
    if any(gap in _POINTS for gap in gaps):
        return not spaced
    thousands = spaced and len(words[0][0]) <= 3 and all(len(word) == 3 for word, _, _ in words[1:])
    return thousands or digits >= (_SPACED_DIGITS.start if spaced else _PLAIN_DIGITS)


def _join(words: Sequence[Spelling], gaps: Sequence[str]) -> str:
    joined = plain(words[0][0])
    for gap, (word, _, _) in zip(gaps, words[1:], strict=False):
        point = _POINTS.get(gap, "") if joined[-1:].isdecimal() and word[:1].isdecimal() else ""
        joined += point + plain(word)
    return joined


def _parts(word: Spelling) -> list[Spelling]:
    """The longer parts of a word such as ppr9087, and its digits as 0 to 9."""
    written, start, end = word
    found: list[Spelling] = []
    if not written.isascii() and (digits := plain(written)) != written:
        found.append((digits, start, end))
    if len(written) <= _PART or len(written) < end - start or written.isalpha() or written.isdecimal():
        return found
    runs = [(one[0], start + one.start(), start + one.end()) for one in _RUNS.finditer(written)]
    if len(runs) == 2 and min(len(run[0]) for run in runs) > 1:  # 1930s is no other word for 1930
        found += (run for run in runs if len(run[0]) >= _PART)
    elif len(runs) == _RUNS_OF_A_WORD:
        found += (run for run in runs if len(run[0]) >= _PART)
        for one, other in pairwise(runs):
            if len(one[0]) + len(other[0]) > _PART:
                found.append((one[0] + other[0], one[1], other[2]))
    return found


def plain(word: str) -> str:
    """Arabic, Hindi and other digits as 0 to 9."""
    if word.isascii():
        return word
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in word)
