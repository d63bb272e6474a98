"""Headings in a document's text: ATX lines (`## Set-up`) outside closed code fences.

This is how loaders tell the chunker about headings: Markdown has such lines, and the HTML and
Word loaders write them. A document given as plain text may use them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PATH_CHARACTERS = 160
LONGEST_LINE = 1000

_LINE = re.compile(r"[^\r\n]+")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_CLOSING = re.compile(r"[ \t]+#+[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(.*)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_EMPHASIS = re.compile(r"[*`]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading line: character offsets of the line, level 1 to 6, and its words without markup."""

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text under it, up to the next heading.

    `body` is where the heading's line ends. `path` names the headings it stands under and itself,
    outermost first.
    """

    start: int
    body: int
    end: int
    path: tuple[str, ...]


def find_headings(text: str) -> list[Heading]:
    """All headings in order.

    A fence that never closes hides nothing: one stray ``` must not cost a document its headings.

    >>> [(h.level, h.title) for h in find_headings("# A **bold** one #\\ntext\\n```\\n# code\\n```")]
    [(1, 'A bold one')]
    """
    lines = list(_LINE.finditer(text))
    found = []
    for line, in_fence in zip(lines, fenced([line[0] for line in lines]), strict=True):
        if in_fence or len(line[0]) > LONGEST_LINE or not (atx := _ATX.match(line[0])):
            continue
        if title := plain_title(_CLOSING.sub("", atx[2])):
            found.append(Heading(line.start(), line.end(), len(atx[1]), title))
    return found


def fenced(lines: Sequence[str]) -> list[bool]:
    """Which lines are code between ``` or ~~~ lines, or such a line; none of a fence that stays open.

    >>> fenced(["```", "# a", "```", "# b", "~~~", "# c"])
    [True, True, True, False, False, False]
    """
    inside = [False] * len(lines)
    fence, begin = "", 0
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark is None:
            continue
        run, info = mark[1], mark[2].strip()
        if not fence and not (run[0] == "`" and "`" in info):
            fence, begin = run, number
        elif fence and run.startswith(fence) and not info:
            inside[begin : number + 1] = [True] * (number + 1 - begin)
            fence = ""
    return inside


def plain_title(source: str) -> str:
    """A heading's words without links' targets, emphasis and code marks.

    >>> plain_title("**Set-up** of [Redis](https://redis.io) and `__init__`")
    'Set-up of Redis and __init__'
    """
    return " ".join(_EMPHASIS.sub("", _LINK.sub(r"\1", source)).split())


def sections(text: str) -> Iterator[Section]:
    """Cuts the whole text at its headings; what stands before the first has an empty path."""
    headings = find_headings(text)
    first = headings[0].start if headings else len(text)
    if first:
        yield Section(0, 0, first, ())
    open_headings: list[Heading] = []
    for number, heading in enumerate(headings):
        while open_headings and open_headings[-1].level >= heading.level:
            open_headings.pop()
        open_headings.append(heading)
        end = headings[number + 1].start if number + 1 < len(headings) else len(text)
        yield Section(heading.start, heading.end, end, tuple(above.title for above in open_headings))


def path_line(path: tuple[str, ...], document_title: str) -> str:
    """`Guide > Set-up`: without the document's own title, and of at most `PATH_CHARACTERS`.

    The line is read by the encoders before every passage, so a long one would crowd out the text:
    outer headings go first, then the end of the innermost.

    >>> path_line(("Guide", "Set-up", "Redis"), "Guide")
    'Set-up > Redis'
    """
    parts = list(path[1:] if path and path[0] == document_title else path)
    while len(parts) > 1 and len(" > ".join(parts)) > PATH_CHARACTERS:
        parts.pop(0)
    line = " > ".join(parts)
    if len(line) <= PATH_CHARACTERS:
        return line
    return line[: PATH_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
