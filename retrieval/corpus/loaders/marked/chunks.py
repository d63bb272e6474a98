"""Cuts large Markdown into parts that are parsed one by one, so that memory does not grow with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.corpus.headings import fenced

PART_CHARACTERS = 100_000
_HEADING = re.compile(r"#{1,6}[ \t]")
_DELIMITERS = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,}).*")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the source; `goes_on` if it begins within the table that ended the part before."""

    source: str
    goes_on: bool = False


def parts(text: str, *, size: int = PART_CHARACTERS) -> Iterator[Part]:
    """The source in parts of about `size` characters, cut before headings or at blank lines if there are any.

    Within a table the next part begins with the table's first two lines, within code with its fence.
    """
    if len(text) <= 2 * size:
        yield Part(text)
        return
    lines = text.split("\n")
    inside = fenced(lines)
    start, opening, goes_on = 0, list[str](), False
    while start < len(lines):
        end = _cut(lines, inside, start, size)
        body = lines[start:end]
        in_code = end < len(lines) and inside[end] and inside[end - 1]
        fence = _fence(lines, inside, start, end) or (opening[0] if len(opening) == 1 else "")
        closing = [_FENCE.sub(r"\1", fence)] if in_code else []
        yield Part("\n".join([*opening, *body, *closing]), goes_on)
        if in_code:
            opening, goes_on = [fence], False
        else:
            # A table that fills a whole part is carried on once more.
            filled = goes_on and _is_row(lines, end) and all(map(_bars, body))
            opening = _head(lines, start, end) or (opening if filled else [])
            goes_on = bool(opening)
        start = end


def _cut(lines: Sequence[str], inside: Sequence[bool], start: int, size: int) -> int:
    """The line before which the part ends."""
    length, blank = 0, 0
    for number in range(start, len(lines)):
        if number > start and not inside[number] and length > size / 2:
            if _HEADING.match(lines[number]):
                return number
            if not lines[number - 1].strip() and lines[number][:1].strip():
                blank = number
        if length > size:
            return blank or number
        length += len(lines[number]) + 1
    return len(lines)


def _fence(lines: Sequence[str], inside: Sequence[bool], start: int, end: int) -> str:
    """The last line of the part that opens code, "" if there is none."""
    return next((lines[at] for at in range(end - 1, start - 1, -1) if _opens(lines, inside, at)), "")


def _head(lines: Sequence[str], start: int, end: int) -> list[str]:
    """The first two lines of the table that the part ends in."""
    if not _is_row(lines, end):
        return []
    first = end - 1
    while first > start and _bars(lines[first - 1]):
        first -= 1
    if first + 1 < end and _DELIMITERS.fullmatch(lines[first + 1]):
        return [lines[first], lines[first + 1]]
    return []


def _opens(lines: Sequence[str], inside: Sequence[bool], at: int) -> bool:
    return inside[at] and (at == 0 or not inside[at - 1]) and bool(_FENCE.fullmatch(lines[at]))


def _is_row(lines: Sequence[str], at: int) -> bool:
    return at < len(lines) and _bars(lines[at]) and _bars(lines[at - 1])


def _bars(line: str) -> bool:
    return "|" in line
