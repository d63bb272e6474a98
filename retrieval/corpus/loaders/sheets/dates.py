"""Dates and times of spreadsheets, which hold them as days since their first one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

DATE_SIGNS = "ymdhse"
_LAST_DAY = 2_958_466  # the first of January of the year 10000
# Day 60 is the 29th of February 1900, which never was.
_NEVER = 60


def date_text(days: float, pieces: Sequence[tuple[str, str]], *, from_1904: bool = False) -> str | None:
    """A date or time as ISO writes it, with the parts that its format shows; None if it is neither.

    `pieces` are the kinds and texts of the format code.

    >>> date_text(45413.25, [("date", "yyyy"), ("date", "mm")])
    '2024-05'
    """
    if elapsed := next((text[0] for kind, text in pieces if kind == "elapsed"), None):
        return _elapsed(days, elapsed, pieces)
    if not 0 <= days < _LAST_DAY:
        return None
    signs = _signs(pieces)
    moment = _moment(days, from_1904=from_1904, seconds="s" in signs)
    if moment is None:
        return None
    date = _date(moment, signs)
    time = moment.strftime("%H:%M:%S" if "s" in signs else "%H:%M") if signs & {"h", "M", "s"} else ""
    return f"{date} {time}".strip()


def _signs(pieces: Sequence[tuple[str, str]]) -> set[str]:
    """What a format shows; `M` are minutes, which stand behind hours or before seconds."""
    shown = [text[0] for kind, text in pieces if kind in ("date", "elapsed")]
    noon = any(kind == "noon" for kind, _ in pieces)
    signs = {"h"} if noon else set()
    for at, sign in enumerate(shown):
        minutes = sign == "m" and (shown[at - 1 : at] == ["h"] or shown[at + 1 : at + 2] == ["s"])
        signs.add("M" if minutes else "y" if sign == "e" else sign)
    return signs


def _moment(days: float, *, from_1904: bool, seconds: bool) -> datetime | None:
    if from_1904:
        first = datetime(1904, 1, 1)
    elif int(days) == _NEVER:
        return None
    else:
        first = datetime(1899, 12, 30 if days > _NEVER else 31)
    exact = round(days * 86_400)
    return first + timedelta(seconds=exact if seconds else exact // 60 * 60)


def _date(moment: datetime, signs: set[str]) -> str:
    if not signs & {"y", "m", "d"}:
        return ""
    if "y" in signs and "d" not in signs:
        return moment.strftime("%Y-%m") if "m" in signs else f"{moment.year}"
    return moment.strftime("%Y-%m-%d")


def _elapsed(days: float, largest: str, pieces: Sequence[tuple[str, str]]) -> str:
    """A duration such as 26:30, of hours, minutes or seconds as its format counts them."""
    shown = [text[0] for kind, text in pieces if kind in ("date", "elapsed")]
    total = round(abs(days) * 86_400)
    sign = "-" if days < 0 and total else ""
    if largest == "s":
        return f"{sign}{total}"
    if largest == "m":
        return f"{sign}{total // 60}" + (f":{total % 60:02d}" if "s" in shown else "")
    text = f"{sign}{total // 3600}"
    if len(shown) > 1:
        text += f":{total // 60 % 60:02d}"
    return text + (f":{total % 60:02d}" if "s" in shown else "")
