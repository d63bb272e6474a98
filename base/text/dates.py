"""Dates: "2026-05-03", "3 May 2026", "May 3rd" and "03.05.2026" are found by each other."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator

from base.text.spellings import Spelling, plain

_NAMES = """
jan january januar jänner janvier enero gennaio janeiro januari
feb february februar février fevrier febrero febbraio fevereiro februari
mar march märz maerz mars marzo março maart
apr april avril abril aprile
may mai mayo maggio maio mei
jun june juni juin junio giugno junho
jul july juli juillet julio luglio julho
aug august août aout agosto augustus
sep sept september septembre septiembre settembre setembro
oct october oktober octobre octubre ottobre outubro okt
nov november novembre noviembre novembro
dec december dezember décembre decembre diciembre dicembre dezembro dez
"""
MONTHS = {name: month for month, line in enumerate(_NAMES.split("\n")) for name in line.split()}
"""Names of months in English, German, French, Spanish, Italian, Portuguese and Dutch, and their numbers."""

_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<year>[12]\d{3})(?P<sign>[-/.])(?P<month>\d\d?)(?P=sign)(?P<day>\d\d?)(?!\d)"
)
_YEAR_LAST = re.compile(
    r"(?<![\d.])(?P<one>\d\d?)(?P<sign>[-/.])(?P<two>\d\d?)(?P=sign)(?P<year>[12]\d{3})(?!\.?\d)"
)
_MONTH_AND_YEAR = re.compile(r"(?<![\d/])(?P<month>0?[1-9]|1[0-2])/(?P<year>[12]\d{3})(?![\d/])")
# The number that a month may stand beside: a day, or a year.
_NUMBER = re.compile(r"(\d(?<![\w.,:/-]\d)(?:\d{3}|\d?))(?:st|nd|rd|th|er|º|\.)?(?!\w)(?![.,:/-]\d)")
_BEHIND = re.compile(r"[ -](?:of |de |d')?([^\W\d_]{3,10})(?![^\W_])\.?")
_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_]{3,10})(?:\.? (?:the )?|,? (?:of )?|-| de )\Z")
_YEAR = re.compile(r"(?:,? |-| de | of )([12]\d{3})(?![\w-]|[.,:/]\d)")
_REACH = 16


def in_numbers(text: str) -> Iterator[Spelling]:
    """Dates without letters; where a stroke or a hyphen leaves the order of day and month open, both.

    >>> [one for one, _, _ in in_numbers("2026-5-3")], [one for one, _, _ in in_numbers("3/5/2026")]
    (['20260503', '--05-03'], ['20260503', '--05-03', '20260305', '--03-05'])
    """
    for found in _YEAR_FIRST.finditer(text):
        yield from _spelled(found["year"], found["month"], found["day"], *found.span())
    for found in _YEAR_LAST.finditer(text):
        yield from _spelled(found["year"], found["two"], found["one"], *found.span())
        if found["sign"] != "." and found["one"] != found["two"]:
            yield from _spelled(found["year"], found["one"], found["two"], *found.span())
    for found in _MONTH_AND_YEAR.finditer(text):
        yield f"{plain(found['year'])}{plain(found['month']):0>2}", *found.span()


def in_words(text: str) -> Iterator[Spelling]:
    """Dates with the name of their month, in small letters; a month and a year make "202605".

    >>> [one for one, _, _ in in_words("on 3 may 2026, may 4th, or in june 2026")]
    ['20260503', '--05-03', '--05-04', '202606']
    """
    done = 0
    for found in _NUMBER.finditer(text):
        if found.start() < done:
            continue
        number = plain(found[1])
        start, end = found.span()
        if len(number) == 4:
            before = _month_before(text, start, done)
            if before and number[0] in "12":
                yield f"{number}{before[0]:02}", before[1], found.end(1)
            continue
        month = _month_behind(text, end)
        if month is None and (before := _month_before(text, start, done)):
            month, start = (before[0], end), before[1]
        if month is None:
            continue
        year = _YEAR.match(text, month[1])
        done = year.end() if year else month[1]
        yield from _spelled(year[1] if year else "", str(month[0]), number, start, done)


def _month_behind(text: str, at: int) -> tuple[int, int] | None:
    """The month that a text goes on with, and where it ends."""
    found = _BEHIND.match(text, at)
    if found is None or found[1] not in MONTHS:
        return None
    return MONTHS[found[1]], found.end()


def _month_before(text: str, at: int, done: int) -> tuple[int, int] | None:
    """The month in front of a number, and where it begins."""
    found = _BEFORE.search(text, max(done, at - _REACH), at)
    if found is None or found[1] not in MONTHS:
        return None
    return MONTHS[found[1]], found.start()


def _spelled(year: str, month: str, day: str, start: int, end: int) -> Iterator[Spelling]:
    """A day in its year, and in any; nothing where there is no such day."""
    year, month, day = plain(year), plain(month), plain(day)
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= monthrange(int(year or 2000), int(month))[1]:
        return
    if year:
        yield f"{year}{month:0>2}{day:0>2}", start, end
    yield f"--{month:0>2}-{day:0>2}", start, end
