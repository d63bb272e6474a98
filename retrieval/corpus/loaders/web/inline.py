"""The text of one block while it is read: words, raised and lowered signs, and what is struck out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from enum import Flag
from itertools import groupby

from retrieval.corpus.cleaning.raised import lowered_text, raised_text

_SPACES = re.compile(r"[ \t\n\r\f]+")


class Style(Flag):
    """How a run of text is set."""

    PLAIN = 0
    DELETED = 1
    RAISED = 2
    LOWERED = 4
    LINKED = 8


class Inline:
    """Runs of text, put together by `take`.

    >>> line = Inline(()); line.write("10", Style.PLAIN); line.write("9", Style.RAISED); line.take()
    '10^9'
    """

    def __init__(self, notes: Collection[str]) -> None:
        self._notes = notes
        self._runs: list[tuple[str, Style]] = []

    def write(self, text: str, style: Style, *, keep_spaces: bool = False) -> None:
        """Adds text; runs of white space become one space unless they are kept."""
        text = text.replace("\xad", "") if keep_spaces else _SPACES.sub(" ", text.replace("\xad", ""))
        if text:
            self._runs.append((text, style))

    def break_line(self) -> None:
        """Adds a line end."""
        self._runs.append(("\n", Style.PLAIN))

    def measure(self) -> tuple[int, int]:
        """How many characters there are, and how many of them are links."""
        sizes = [(len(text.strip()), Style.LINKED in style) for text, style in self._runs]
        return sum(size for size, _ in sizes), sum(size for size, linked in sizes if linked)

    def opening_mark(self) -> str:
        """The raised mark that the block begins with where that is the mark of a note; else ""."""
        runs = [(text, style) for text, style in self._runs if text.strip()]
        if len(runs) < 2 or Style.RAISED not in runs[0][1] or Style.RAISED in runs[1][1]:
            return ""
        mark = runs[0][0].strip(" []().")
        return mark if mark in self._notes else ""

    def take(self, *, after: str = "") -> str:
        """The text, and nothing is left; `after` is what it begins with and is left out."""
        text = "".join(self._parts())
        self._runs.clear()
        return text.strip(" ").removeprefix(after) if after else text

    def _parts(self) -> Iterator[str]:
        written = ""
        for deleted, runs in groupby(_with_fractions(self._runs), key=lambda run: Style.DELETED in run[1]):
            part = ""
            for style, same in groupby(runs, key=lambda run: run[1]):
                part += self._set(written + part, "".join(text for text, _ in same), style)
            if deleted and part.strip():
                part = f"[deleted: {part.strip()}]"
                part = part if not written or written[-1].isspace() else f" {part}"
            written = (written + part)[-64:]
            yield part

    def _set(self, before: str, text: str, style: Style) -> str:
        if Style.RAISED in style:
            return raised_text(before[-64:], text, linked=Style.LINKED in style, notes=self._notes)
        if Style.LOWERED in style:
            return lowered_text(before[-64:], text)
        return text


def _with_fractions(runs: Sequence[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """The runs; raised digits, a stroke and lowered digits are a fraction: 1 1/2, and not 1 with a note."""
    found: list[tuple[str, Style]] = []
    for text, style in runs:
        found.append((text, style))
        above, stroke, below = found[-3:] if len(found) > 2 else [("", Style.PLAIN)] * 3
        if (
            Style.LOWERED in below[1]
            and Style.RAISED in above[1]
            and stroke[0].strip() in ("/", "⁄", "∕")
            and above[0].strip().isdecimal()
            and below[0].strip().isdecimal()
        ):
            before = found[-4][0][-1:] if len(found) > 3 else ""
            gap = " " if before.isdecimal() else ""
            plain = above[1] & ~Style.RAISED
            found[-3:] = [(f"{gap}{above[0].strip()}/{below[0].strip()}", plain)]
    return found
