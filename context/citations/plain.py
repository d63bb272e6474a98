"""Texts as claims are compared: folded, numbers without groups and with signs, identifiers in one word."""

from __future__ import annotations

import re
from typing import NamedTuple

from base.text.digits import ungrouped
from base.text.folding import fold
from base.text.spellings import of_spaced_numbers
from base.text.words import facts

_SIGN = re.compile(
    r"(?:(?<![^\s(\[{\"'=:;,<>|])[-\u2013][$€£¥]?|\b(?:minus|negative)[ ])(?=\d)", re.IGNORECASE
)
_SPACED = re.compile(r"(?<!\w)([^\W\d_]{1,8}) (\d\w*)")
_DATE = re.compile(r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)")
_BETWEEN = re.compile(r"(?<!\d)\.|\.(?!\d)|[-_'’]")

_FALLS = frozenset(
    [
        *("below", "cut", "decline", "declined", "declines", "decrease", "decreased", "decreases", "down"),
        *("drop", "dropped", "drops", "fall", "fallen", "falling", "falls", "fell", "lose", "loses", "loss"),
        *("losses", "lost", "lower", "reduce", "reduced", "reduces", "shrank", "shrinks"),
    ]
)
"""Words that say of a number without a sign that it is negative: "fell by 5 %" for "-5 %"."""


class Joined(NamedTuple):
    """A name or a number in one word, which a text has as several facts: "PPR 9087", "1 000"."""

    word: str
    parts: tuple[str, ...]


def plain(text: str) -> str:
    """The text as it is compared; its words stand in the same order.

    >>> plain("−5 °C, minus 3, 1,000 km; 3-5, PPR‑9087")
    '-5 °C, -3, 1000 km; 3-5, PPR-9087'
    """
    return _SIGN.sub("-", ungrouped(fold(text))[0])


def joined(text: str) -> list[Joined]:
    """What a plain text has in several words and another may have in one.

    >>> joined("an RTX 4090, only 1 599")
    [Joined(word='rtx4090', parts=('rtx', '4090')), Joined(word='only1', parts=('only', '1')), \
Joined(word='1599', parts=('1', '599'))]
    """
    folded = text.casefold()
    found = [Joined(f"{word}{number}", (word, number)) for word, number in _SPACED.findall(folded)]
    numbers = of_spaced_numbers(folded)
    return found + [Joined(word, tuple(facts(folded[start:end]))) for word, start, end in numbers]


def plain_number(fact: str) -> str:
    """A number as it is compared: dates with two digits for month and day, no thousands.

    >>> plain_number("2026/1/5"), plain_number("1,000"), plain_number("-5%")
    ('2026-01-05', '1000', '-5%')
    """
    if date := _DATE.fullmatch(fact):
        return f"{date[1]}-{date[2]:0>2}-{date[3]:0>2}"
    return fact.replace(",", "")


def identifier(fact: str) -> str:
    """A word with digits or underscores in one piece; other words as they are.

    >>> identifier("ppr-9087"), identifier("get_user_name"), identifier("v2.31"), identifier("e-mail")
    ('ppr9087', 'getusername', 'v2.31', 'e-mail')
    """
    if "_" in fact or any(map(str.isdecimal, fact)):
        return _BETWEEN.sub("", fact)
    return fact


def says_fall(words: frozenset[str]) -> bool:
    """Whether words say that something falls, so that a number needs no minus."""
    return not _FALLS.isdisjoint(words)
