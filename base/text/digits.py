"""Numbers written in groups of digits: "1,000,000", "1'000'000" and "1.000.000" are read as "1000000"."""

from __future__ import annotations

import re
from typing import TypeAlias

from base.text.folding import Origins

_HINT = re.compile(r"\d[,.'’_٬]\d\d")
_FIRST = r"\d(?<![^\W_]\d)(?<!\d[,.'’٬]\d)"
_END = r"(?!\d)(?![,.'’_٬]\d)"
_GROUPED = re.compile(
    rf"""
    {_FIRST} (?:
        \d{{0,2}} (?:
            (?:,\d{{3}})+ (?=\.\d+{_END} | {_END})            # 1,000,000 and 1,000.50
          | (?:\.\d{{3}})+ (?=,\d+{_END})                     # 1.000,50
          | (?:\.\d{{3}}){{2,}} {_END}                        # 1.000.000; 1.000 alone may be a decimal
          | (?:['’٬]\d{{3}})+ (?=[.,]\d+{_END} | {_END})      # 1'000'000
          | (?:_\d{{3}})+ {_END}                              # 1_000_000
        )
      | \d? (?:,\d{{2}})+ ,\d{{3}} (?=\.\d+{_END} | {_END})     # 10,00,000
    )
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}")
_BETWEEN = re.compile(r"[,.'’_٬]")

Groups: TypeAlias = list[tuple[str, int, int]]
"""Groups of digits of what may be a list as well (101,102), each with its number's place in the new text."""


def ungrouped(text: str) -> tuple[str, Origins | None, Groups]:
    """The text with its grouped numbers as plain ones, its origins as folding has them, and the groups.

    Groups of zeros are left out. An address such as 192.168.100.200 is no number.

    >>> ungrouped("1,234")
    ('1234', [(0, 1), (2, 3), (3, 4), (4, 5)], [])
    >>> ungrouped("101,102")[2]
    [('101', 0, 6), ('102', 0, 6)]
    """
    if not _HINT.search(text):
        return text, None, []
    parts: list[str] = []
    places: list[int] = []
    groups: Groups = []
    last = 0
    for found in _GROUPED.finditer(text):
        if is_address(found[0]):
            continue
        start, end = found.span()
        parts.append(text[last:start])
        places += range(last, start)
        plain = _BETWEEN.sub("", found[0])
        if len(plain) % 3 == 0:
            span = (len(places), len(places) + len(plain))
            groups += ((one, *span) for one in _BETWEEN.split(found[0]) if int(one))
        parts.append(plain)
        places += (at for at in range(start, end) if not _BETWEEN.match(text[at]))
        last = end
    if not parts:
        return text, None, []
    parts.append(text[last:])
    places += range(last, len(text))
    return "".join(parts), [(at, at + 1) for at in places], groups


def is_address(number: str) -> bool:
    """Whether it is an address such as 192.168.100.200."""
    return _ADDRESS.fullmatch(number) is not None
