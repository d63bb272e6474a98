"""Numbers of list items as a reader sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WHOLE = re.compile(r"\s*[+-]?\d{1,9}\s*")
_STYLE = re.compile(
    r"list-style(?:-type)?\s*:\s*(lower-alpha|upper-alpha|lower-latin|upper-latin|lower-roman|upper-roman)"
)
_TYPES = {
    "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A",
    "lower-roman": "i", "upper-roman": "I",
}  # fmt: skip
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


@dataclass(slots=True)
class OpenList:
    """A list that is being read; `kind` is "" for one without numbers, else the type of its numbers."""

    kind: str = ""
    next: int = 1
    step: int = 1

    @classmethod
    def ordered(cls, attributes: Mapping[str, str]) -> OpenList:
        """An `<ol>` with its start, type and direction.

        >>> letters = OpenList.ordered({"type": "a", "start": "3"}); letters.marker({}), letters.marker({})
        ('c.', 'd.')
        """
        styled = _STYLE.search(attributes.get("style", ""))
        kind = _TYPES[styled[1]] if styled else attributes.get("type", "1").strip()
        return cls(
            kind if kind in ("1", "a", "A", "i", "I") else "1",
            _whole(attributes.get("start"), 1),
            -1 if "reversed" in attributes and "start" in attributes else 1,
        )

    def marker(self, attributes: Mapping[str, str]) -> str:
        """The marker of the next item, whose attributes may set its number."""
        if not self.kind:
            return "-"
        number = _whole(attributes.get("value"), self.next)
        self.next = number + self.step
        return f"{counted(number, self.kind)}."


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and _WHOLE.fullmatch(value) else otherwise


def counted(number: int, kind: str) -> str:
    """A number as lists of a kind write it: `1`, or letters and Roman numerals by `a`, `A`, `i`, `I`.

    >>> counted(28, "a"), counted(4, "I"), counted(4, "1")
    ('ab', 'IV', '4')
    """
    if kind == "1" or not 0 < number < 4000:
        return str(number)
    letters = roman(number) if kind in "iI" else _alphabetic(number)
    return letters.upper() if kind.isupper() else letters


def _alphabetic(number: int) -> str:
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return letters


def roman(number: int) -> str:
    """A number of 1 to 3999 in small Roman letters."""
    letters = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        letters += sign * count
    return letters
