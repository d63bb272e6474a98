"""Raised characters: powers, marks of notes, and endings such as that of `1st`."""

from __future__ import annotations

import re

_POWER_OF = re.compile(r"(?:^|[\s(=×*/·])(?:\d{1,3}|[^\W\d]{1,2})$")
_SIGNED = re.compile(r"[-+−–]?\w+")


def with_mark(text: str, mark: str) -> str:
    """A text followed by raised characters, so that a number and a note's mark are never one number.

    >>> with_mark("up to 10", "9"), with_mark("since 1999", "2"), with_mark("the 1", "st"), with_mark("a", "")
    ('up to 10^9', 'since 1999 [2]', 'the 1st', 'a')
    """
    if not mark:
        return text
    if not text or text.endswith(" ") or not _SIGNED.fullmatch(mark):
        return text + mark
    if mark.isalpha() and len(mark) > 1:
        return text + mark
    return f"{text}^{mark}" if _POWER_OF.search(text) else f"{text} [{mark}]"
