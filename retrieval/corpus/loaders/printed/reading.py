"""Rows of a page in reading order: columns one after the other, lines as paragraphs, headings and items."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from retrieval.corpus.blocks import Heading, Paragraph, Table
from retrieval.corpus.blocks import Item as ListItem
from retrieval.corpus.loaders.printed.aligned import levelled, table_at
from retrieval.corpus.loaders.printed.columns import Row, columns
from retrieval.corpus.loaders.printed.hyphens import Hyphens
from retrieval.corpus.loaders.printed.items import item_lefts, item_of
from retrieval.corpus.loaders.printed.lines import joined
from retrieval.corpus.loaders.printed.style import Style

_NEW_PARAGRAPH = 1.35  # of the usual distance of lines
_FILLED = 0.75  # of the width: the next line continues this one


class _Text(NamedTuple):
    """Lines that belong together; `goes_on` where it may continue the text before it."""

    text: str
    size: float
    item: bool
    goes_on: bool = False


_Part = Heading | Paragraph | ListItem | Table


def blocks(rows: list[Row], style: Style | None = None) -> list[_Part]:
    """What a page has, in reading order. `style` is that of the document."""
    style = style or Style.of([rows])
    found: list[_Part] = []
    for column in columns(rows):
        for part in _with_tables(levelled(column), style):
            last = found[-1] if found else None
            if isinstance(part, Table):
                found.append(part)
            elif part.goes_on and isinstance(last, Paragraph) and style.hyphens.parted(last.text, part.text):
                found[-1] = Paragraph(style.hyphens.joined(last.text, part.text))
            else:
                found.append(_block(part, style))
    return [_without_soft(one) for one in found]


def _block(part: _Text, style: Style) -> _Part:
    on_one_line = " ".join(part.text.split())
    item = item_of(on_one_line) if part.item else None
    if item and item.marker == "-":
        return item
    if level := style.level(on_one_line, part.size):
        return Heading(on_one_line, level)
    if item:
        return item
    return Paragraph(part.text)


def _without_soft(one: _Part) -> _Part:
    if isinstance(one, Paragraph):
        return Paragraph(one.text.replace("\u00ad", ""))
    if isinstance(one, Heading):
        return Heading(one.text.replace("\u00ad", ""), one.level)
    if isinstance(one, ListItem):
        return ListItem(one.text.replace("\u00ad", ""), one.marker, one.depth)
    return one


def _with_tables(rows: list[Row], style: Style) -> Iterator[_Text | Table]:
    plain: list[Row] = []
    at = 0
    while at < len(rows):
        found = table_at(rows, at)
        if found is None:
            plain.append(joined(rows[at]))
            at += 1
            continue
        if plain:
            yield from _texts(plain, style.hyphens)
            plain = []
        at, table = found
        yield table
    if plain:
        yield from _texts(plain, style.hyphens)


def _texts(rows: list[Row], hyphens: Hyphens) -> Iterator[_Text]:
    gaps = [above[0].baseline - below[0].baseline for above, below in pairwise(rows)]
    usual = median(sorted(gaps)[: len(gaps) // 2 + 1]) if gaps else 0.0
    left = min(row[0].left for row in rows)
    width = max(row[-1].right for row in rows) - left
    items = item_lefts(rows)
    text, size, first = "", 0.0, 0
    for at, row in enumerate(rows):
        line = " ".join(part.text for part in row)
        if at and (at in items or _begins(rows[at - 1], row, usual)):
            yield _Text(text, size, first in items, first == 0)
            text, size, first = line, 0.0, at
        elif at:
            above = rows[at - 1]
            filled = above[-1].right - left >= _FILLED * width and len(above) == len(row) == 1
            text = _continued(text, line, hyphens, filled=filled)
        else:
            text = line
        size = max(size, max(row, key=lambda part: len(part.text)).size)
    yield _Text(text, size, first in items, first == 0)


def _begins(above: Row, row: Row, usual: float) -> bool:
    gap = above[0].baseline - row[0].baseline
    size = max(line.size for line in row)
    before = max(line.size for line in above)
    near = gap <= _NEW_PARAGRAPH * usual and gap <= 2.2 * size
    return not near or not 0.85 <= size / before <= 1.18


def _continued(text: str, line: str, hyphens: Hyphens, *, filled: bool) -> str:
    if text.endswith(("-", "\u00ad", "\u2010")) and text[-2:-1].isalnum() and line[:1].isalnum():
        return hyphens.joined(text, line)
    return f"{text}{' ' if filled else chr(10)}{line}"
