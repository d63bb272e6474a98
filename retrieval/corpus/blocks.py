"""Blocks: what every loader makes of a file, in reading order. `writer.py` turns them into text.

Blocks hold plain text, without markup: inline white space is put in order by the writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; line ends in it are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A list item with its marker as a reader sees it (`-`, `2.`, `b)`), `depth` lists deep from 0."""

    text: str
    marker: str = "-"
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table of rows of equal length, after spans were resolved (`tables.table_of`).

    `names` are the names of the columns, () if it has none. `first` is the number of its first row as a
    citation shows it.
    """

    rows: Sequence[Sequence[str]]
    names: Sequence[str] = ()
    caption: str = ""
    first: int = 1


@dataclass(frozen=True, slots=True)
class Code:
    """Text whose spaces and line ends matter."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote, an endnote or a comment, with the mark that the text has for it."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class PageStart:
    """The blocks that follow stand on this page, slide or sheet; counted from 1."""

    number: int


Block: TypeAlias = Heading | Paragraph | Item | Table | Code | Note | PageStart
