r"""Other ways to quote cells than with doubled quotes: `\"`, `\,` and 'single quotes'."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice

_SAMPLE_CHARACTERS = 65_536
_SAMPLE_ROWS = 100
_BACKSLASHES = re.compile(r"\\[\\\"]")


def usually_quoted(text: str, delimiter: str) -> str:
    r"""The text with its cells quoted as usual, where more of its rows are of one width then.

    >>> usually_quoted("id,name\n1,'Lee, Ann'\n2,Bo\n", ",").split("\n")[1]
    '1,"Lee, Ann"'
    """
    for mark, change in ((r"\"", _doubled), (f"\\{delimiter}", _quoted), ("'", _from_single)):
        if mark not in text[:_SAMPLE_CHARACTERS]:
            continue
        sample = text[:_SAMPLE_CHARACTERS]
        if _faults(change(sample, delimiter), delimiter) < _faults(sample, delimiter):
            text = change(text, delimiter)
    return text


def _faults(sample: str, delimiter: str) -> tuple[int, int]:
    """How many rows are of another width than most, and whether quotes close within cells."""
    rows: list[list[str]] = []
    stray = 0
    for strict in (True, False):
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=strict)
        try:
            rows = list(islice(reader, _SAMPLE_ROWS))
            break
        except csv.Error:
            stray += 1
    if len(sample) == _SAMPLE_CHARACTERS and len(rows) < _SAMPLE_ROWS:  # the last row may be cut off
        rows = rows[:-1]
    widths = Counter(len(row) for row in rows if any(map(str.strip, row)))
    most = max(widths.values(), default=0)
    return sum(widths.values()) - most, stray


def _doubled(text: str, delimiter: str) -> str:
    return _BACKSLASHES.sub(lambda found: '""' if found[0] == r"\"" else found[0], text)


def _quoted(text: str, delimiter: str) -> str:
    sign = re.escape(delimiter)
    cell = rf"(?:(?<=\n)|(?<=\r)|(?<={sign})|\A)(?:[^{sign}\"\\\r\n]|\\.)*(?=[{sign}\r\n]|\Z)"
    escaped = f"\\{delimiter}"

    def quote(found: re.Match[str]) -> str:
        return f'"{found[0].replace(escaped, delimiter)}"' if escaped in found[0] else found[0]

    return re.sub(cell, quote, text)


def _from_single(text: str, delimiter: str) -> str:
    sign = re.escape(delimiter)
    cell = rf"((?:(?<=\n)|(?<=\r)|(?<={sign})|\A)[ \t]*)'((?:[^'\r\n]|'')*)'(?=[ \t]*(?:[{sign}\r\n]|\Z))"

    def quote(found: re.Match[str]) -> str:
        words = found[2].replace("''", "'").replace('"', '""')
        return f'"{words}"'

    return re.sub(cell, quote, text)
