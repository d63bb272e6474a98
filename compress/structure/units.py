"""Which words stay or go together: half a number, half an address or half a table row says something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from base.text.words import Spans

Ranges = Sequence[tuple[int, int]]

LONGEST_CODE = 1000
"""Characters of a block of code that stays or goes as a whole; of a longer one each line does."""

_FENCE = re.compile(r"^[^\S\n]{0,3}(?P<fence>`{3,}+|~{3,}+)(?P<info>[^`\n]*)$", re.MULTILINE)
_LINE = re.compile(r"[^\n]+")
_ROW = re.compile(r"^[^\S\n]*\|.*\|[^\S\n]*$|^[^\t\n]*\t[^\t\n]*\t.*$", re.MULTILINE)
_NUMBER = r"[+−±-]?(?:(?:US|CA|AU)?[$€£¥₹]\s?)?\d+(?:[.,:/×]\d+)*"
_UNITS = (
    r"%|‰|°\s?[CFK]?|(?:[kmcµnMG]?m[²³23]?|km/h|mph|[kmµ]?g|lbs?|oz|tons?|tonnes?|[cmd]?[lL]|lit(?:re|er)s?|"
    r"[mµn]?s|sec(?:ond)?s?|min(?:ute)?s?|h(?:ours?|rs?)?|days?|weeks?|months?|years?|[ap]\.?m\.?|"
    r"feet|foot|ft|inch(?:es)?|miles?|yards?|met(?:re|er)s?|kilomet(?:re|er)s?|acres?|hectares?|ha|"
    r"[kMGT]?[WVJ]|[kMGT]?Hz|[kMGTP]i?[Bb]|bytes?|dollars?|euros?|pounds?|USD|EUR|GBP|cents?|"
    r"percent|per\scent|hundred|thousand|million|billion|trillion|BCE?|AD|CE)\b"
)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_INLINE = re.compile(
    rf"""
    `[^`\n]{{1,200}}`                                              # code in a line
  | "(?:[^"\\\n]|\\.){{1,80}}"[^\S\n]?:[^\S\n]?
        (?:"(?:[^"\\\n]|\\.){{0,80}}"|[-+.\w]+)                    # a member of JSON
  | [\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+                            # an address of mail
  | \b[A-Za-z]:\\[^\s<>"|?*;,)]+                                   # a path of Windows
  | \b[A-Z]{{2,5}}\s\d[\w.-]*                                      # ISO 9001, AB 1234
  | \b\d{{1,2}}\s{_MONTH}(?:,?\s\d{{4}})?                          # 12 May 2021
  | \b{_MONTH}\s\d{{1,2}}(?:,\s\d{{4}})?\b                         # May 12, 2021
  | (?<![\w.,]){_NUMBER}(?:[^\S\n]?(?:{_UNITS})){{1,2}}            # 3.5 million km
  | (?<!\w)(?:[+−±-]|(?:US|CA|AU)?[$€£¥₹][^\S\n]?)\d+(?:[.,]\d+)*   # -5, US$ 7.25
  | \[\d{{1,3}}\]                                                  # a note
""",
    re.VERBOSE,
)


def wholes(text: str) -> Ranges:
    """Half-open character spans that stay or go as a whole, in order and apart.

    Blocks of code, table rows, members of JSON, numbers with their units and signs, dates, identifiers of
    several words, addresses and paths. Other numbers, URLs and identifiers are single words.

    >>> text = "It fell by 3.5 million km on 12 May 2021, see `x = 1`."
    >>> [text[start:end] for start, end in wholes(text)]
    ['3.5 million km', '12 May 2021', '`x = 1`']
    """
    found = sorted(_found(text))
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _found(text: str) -> Iterator[tuple[int, int]]:
    for start, end in code_blocks(text):
        if end - start <= LONGEST_CODE:
            yield start, end
        else:
            yield from (line.span() for line in _LINE.finditer(text, start, end))
    for pattern in (_ROW, _INLINE):
        yield from (match.span() for match in pattern.finditer(text))


def code_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Fenced blocks of Markdown that are closed, with their fences."""
    opened: re.Match[str] | None = None
    for line in _FENCE.finditer(text):
        if opened is None:
            opened = line
        elif line["fence"].startswith(opened["fence"]) and not line["info"].strip():
            yield opened.start("fence"), line.end("fence")
            opened = None


def units_of(spans: Spans, ranges: Ranges) -> NDArray[np.int64]:
    """The number of each word's unit, from 0 in order: the words that touch one of the ranges share one.

    `spans` (n, 2) and `ranges` are in order, and each apart.
    """
    begins = np.ones(len(spans), dtype=np.int64)
    for start, end in ranges:
        first = int(np.searchsorted(spans[:, 1], start, side="right"))
        last = int(np.searchsorted(spans[:, 0], end, side="left"))
        begins[first + 1 : last] = 0
    return np.cumsum(begins) - 1
