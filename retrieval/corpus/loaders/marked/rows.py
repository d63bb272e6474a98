"""Rows of Markdown tables whose code holds bars: they part no cells where the row would be too wide else."""

from __future__ import annotations

import re

from retrieval.corpus.headings import fenced

_DELIMITERS = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_BAR = re.compile(r"(?<!\\)\|")


def with_bars_in_code(source: str) -> str:
    """The source with bars in code escaped, in rows that have more cells than their table has names.

    >>> with_bars_in_code("|a|b|\\n|-|-|\\n|`p|q`|6|").split("\\n")[2]
    '|`p\\\\|q`|6|'
    """
    if "`" not in source or "|" not in source:
        return source
    lines = source.split("\n")
    inside: list[bool] | None = None
    width = 0
    for at, line in enumerate(lines):
        if "|" not in line:
            width = 0
        elif at and "-" in line and "|" in lines[at - 1] and _DELIMITERS.fullmatch(line):
            inside = inside or list(fenced(lines))
            width = 0 if inside[at] else _width(lines[at - 1])
        elif width and "`" in line and _width(line) > width:
            escaped = _CODE.sub(lambda found: _BAR.sub(r"\\|", found[0]), line)
            lines[at] = escaped if _width(escaped) >= width else line
    return "\n".join(lines)


def _width(line: str) -> int:
    """How many cells a row has."""
    return len(_BAR.findall(line.strip().removeprefix("|").removesuffix("|"))) + 1
