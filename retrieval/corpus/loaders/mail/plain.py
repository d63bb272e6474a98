"""Plain text of messages as blocks: paragraphs whose soft line ends are joined, and aligned columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.corpus.blocks import Block, Code, Paragraph

_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ALIGNED = re.compile(r"\S(?: {2,}|\t)\S")
_QUOTE = re.compile(r"(>+) ?")


def plain_blocks(text: str, *, flowed: bool = False, join: bool = False) -> Iterator[Block]:
    """The paragraphs of a text; lines whose columns are aligned by spaces keep them.

    `flowed`: a line that ends in a space goes on in the next (RFC 3676); with `join` that space is left out.
    Quoted lines keep their `>`.
    """
    text = _joined(text, join=join) if flowed else text
    for part in _BLANK.split(text):
        lines = part.strip("\n").split("\n")
        if sum(bool(_ALIGNED.search(line.strip())) for line in lines) > 1:
            yield Code("\n".join(lines))
        else:
            yield Paragraph("\n".join(lines))


def _joined(text: str, *, join: bool) -> str:
    lines: list[str] = []
    goes_on, depth = False, ""
    for raw in text.split("\n"):
        found = _QUOTE.match(raw)
        quote = found[1] if found else ""
        line = raw[found.end() :] if found else raw.removeprefix(" ")
        soft = line.endswith(" ") and line != "-- "
        words = line[:-1] if soft and join else line
        if goes_on and quote == depth and line != "-- ":
            lines[-1] += words
        else:
            lines.append(f"{quote} {words}" if quote else words)
        goes_on, depth = soft, quote
    return "\n".join(lines)
