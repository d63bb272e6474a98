"""Superscripts and subscripts as plain text: a power as `10^9`, a note's mark as `1999 [2]`.

Without a rule, "10<sup>9</sup>" would be read as 109, and a year with a note as another year.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_MARKS = re.compile(
    r"[\[(]?\s*(?:\d{1,3}|[a-z*†‡§¶#]{1,2})(?:\s*[,;–-]\s*(?:\d{1,3}|[a-z*†‡§¶#]{1,2}))*\s*[\])]?"
)
_WHOLE = re.compile(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_SIGNED = re.compile(r"[-+−–]\s?\w{1,6}(?:[.,]\d+)?")
_NUMBER = re.compile(r"(?:^|[^\w.,$€£¥₹])(\d+)$")
_INDEXED = re.compile(r"(?:^|\W)[A-Za-z]\d$")
_QUARTER = re.compile(r"(?:^|\W)[QH]\d$")
_LAST_WORD = re.compile(r"[^\W\d_]+$")


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_ORDINALS = _words("st nd rd th er re e d de nde ère ere ème eme me o a os as º ª ter te")
_UNITS = _words(
    "mm cm dm km nm µm μm um pm ft yd mi in sq rad sec min mol kg mg ms ns px pt dt dx dy log ln sin cos tan"
)
_POWERS = frozenset([2, 3, 5, 7, 10, 16, 100, 1000, 1024])
_LONGEST_BASE = 999


def raised_text(before: str, raised: str, *, linked: bool = False, notes: Collection[str] = ()) -> str:
    """What to write after `before` for a superscript.

    `linked`: it is a link to a note. `notes`: the marks that begin notes of the same document.
    A power is `^9`, a note's mark ` [9]`; letters such as those of "5th" are joined.

    >>> [raised_text(*both) for both in (("10", "9"), ("in 1999", "2"), ("5", "th"), ("see there.", "3"))]
    ['^9', ' [2]', 'th', ' [3]']
    """
    raised = " ".join(raised.split())
    if not raised:
        return ""
    if linked or raised[0] in "[(":
        return _mark(raised)
    if not before or before[-1].isspace():
        # An isotope such as 14C, or a note's own mark: nothing stands before it that could change.
        return raised
    if _joins(before, raised):
        return raised
    if _SIGNED.fullmatch(raised):
        return f"^{raised}"
    if not _is_power(before, raised, notes):
        return _mark(raised)
    return f"^{raised}" if raised.rstrip("+-−").isalnum() or len(raised) == 1 else f"^({raised})"


def lowered_text(before: str, lowered: str) -> str:
    """What to write after `before` for a subscript: H2O stays, but 1010 to base 2 is `1010_2`.

    >>> lowered_text("H", "2"), lowered_text("1010", "2")
    ('2', '_2')
    """
    lowered = " ".join(lowered.split())
    return f"_{lowered}" if lowered and before[-1:].isdigit() and lowered[0].isdigit() else lowered


def _mark(raised: str) -> str:
    inside = raised.strip("[]() ")
    return f" [{inside}]" if inside else ""


def _joins(before: str, raised: str) -> bool:
    """Whether it is the rest of a word: of an ordinal (5th), an abbreviation (Mme), or a trade mark."""
    if raised.lower() in ("tm", "sm", "®", "™", "©", "°", "º", "ª"):
        return True
    letters = (raised.rstrip(".").isalpha() and raised.isascii()) or raised.lower() in _ORDINALS
    if before[-1].isdigit():
        return letters and raised.lower().rstrip(".") in _ORDINALS
    return letters and len(raised) > 1 and bool(_LAST_WORD.search(before))


def _is_power(before: str, raised: str, notes: Collection[str]) -> bool:
    if not _MARKS.fullmatch(raised):
        # Such as n+1, 2x or 3/2: no note is marked so.
        return True
    if raised in ("*", "†", "‡", "§", "¶", "#") or re.search(r"[,;]", raised):
        return False
    if number := _NUMBER.search(before):
        return _is_power_of(int(number[1][:9]), raised, notes)
    if before[-1].isdigit():
        # After 1,250 or 3.5 or Q4; a digit of a formula (x1) is short.
        return bool(_INDEXED.search(before)) and not _QUARTER.search(before) and raised not in notes
    if before[-1] in ")]}|":
        inside = before[before.rfind({")": "(", "]": "[", "}": "{"}.get(before[-1], "|")) + 1 : -1]
        return not re.search(r"[^\W\d_]{3}", inside) and raised not in notes
    word = _LAST_WORD.search(before)
    if word is None:
        return False
    return _is_short_base(before, word[0], raised, notes)


def _is_power_of(base: int, raised: str, notes: Collection[str]) -> bool:
    if base in (2, 10):
        return True
    if raised in notes or raised in ("0", "1"):
        return False
    return base <= _LONGEST_BASE or base in _POWERS


def _is_short_base(before: str, word: str, raised: str, notes: Collection[str]) -> bool:
    """Whether letters before it are a variable or a unit (x^2, m^2, km^2), and not the end of a word."""
    if word in _UNITS:
        return _WHOLE.fullmatch(raised) is not None and raised not in ("0", "1")
    if len(word) == 1 and word.isascii():
        # "Plan A" with note 1; the English words a and I have no powers.
        spelled = word in "aAI" and before[:-1].endswith(" ")
        return raised not in ("0", "1") and not (spelled and raised in notes)
    return (
        len(word) <= 2
        and word.isascii()
        and not word.isupper()
        and raised in ("2", "3")
        and raised not in notes
    )
