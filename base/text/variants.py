"""The ways in which the identifiers and numbers of a question may be written in a text, for exact search."""

from __future__ import annotations

import re
from collections.abc import Iterator

from base.text.digits import is_address
from base.text.stop_words import english

_IDENTIFIER = re.compile(
    r"""
    (?<![^\W_]) (?:
        [^\W\d_]{1,8} [-_/.]? \d+ (?:[-_/.]?[^\W\d_]{1,3})?     # PPR-9087, ppr9087b
      | [^\W\d_]{1,5} [ ] \d{3,}                                # RTX 4090
      | \d+ [-_/ ]? [^\W\d_]{1,3}                              # 10mm
    ) (?![^\W_]|[.,]\d)
    """,
    re.VERBOSE,
)
_STOP_WORDS = english().short
_RUNS = re.compile(r"\d+|[^\W\d_]+")
_NUMBER = re.compile(
    r"(?<![\w.,])(?!(?:1[5-9]|20)\d\d\b)(?:\d{4,15}|\d{1,3}(?:[ ,.']\d{3}){1,4})(?![\w.,]*\d)"
)
_BETWEEN = ("", "-", " ", "_", "/")
_GROUPED_BY = ("", ",", " ", ".", "'")


def variants(text: str) -> list[str]:
    """Other ways to write the identifiers and the large numbers of a folded text, each once.

    >>> variants("What does ppr9087 cost?")[:4]
    ['PPR9087', 'ppr-9087', 'PPR-9087', 'ppr 9087']
    >>> variants("a population of 12,345")
    ['12345', '12 345', '12.345', "12'345"]
    """
    found = dict.fromkeys([*_identifiers(text), *_numbers(text)])
    return [one for one in found if one not in text]


def _identifiers(text: str) -> Iterator[str]:
    for written in _IDENTIFIER.findall(text):
        runs = _RUNS.findall(written)
        if not _STOP_WORDS.isdisjoint((runs[0].lower(), runs[-1].lower())):
            continue
        for sign in _BETWEEN:
            yield sign.join(runs)
            yield sign.join(runs).upper()


def _numbers(text: str) -> Iterator[str]:
    for written in _NUMBER.findall(text):
        if is_address(written):
            continue
        digits = "".join(filter(str.isdecimal, written))
        for sign in _GROUPED_BY:
            yield f"{int(digits):,}".replace(",", sign) if digits[0] != "0" else digits
