"""Writes the blocks of a page while its elements open and close."""

from __future__ import annotations

from collections.abc import Collection

from retrieval.corpus.blocks import Block, Item, Note, Paragraph
from retrieval.corpus.loaders.web.attributes import Kind
from retrieval.corpus.loaders.web.grids import OpenTable
from retrieval.corpus.loaders.web.inline import Inline
from retrieval.corpus.loaders.web.lists import OpenList
from retrieval.corpus.loaders.web.regions import Placed, Region


class BlockWriter:
    """The open block and all that is around it: lists, cells of tables, the part of the page.

    `name` is the file's, for errors; `notes` are the raised marks that begin notes of the page.
    """

    def __init__(self, name: str, notes: Collection[str]) -> None:
        self.name = name
        self.placed: list[Placed] = []
        self.regions = [Region(None, None)]
        self.region = self.regions[0]
        self.inline = Inline(notes)
        # Level of the open heading, 0 outside; the lines of open code, None outside.
        self.heading = 0
        self.code: list[str] | None = None
        self.language = ""
        self.lists: list[OpenList] = []
        # Marker and depth of an item that has no text yet.
        self.item: tuple[str, int] | None = None
        self.is_note = False
        # Terms of a `<dl>` that are not explained yet.
        self.terms: list[str] = []
        # Terms that were explained last: they may have another explanation.
        self.explained: list[str] = []
        self.in_term = False
        self.tables: list[OpenTable] = []
        self.cells: list[list[Block]] = []

    def enter(self, kind: Kind) -> Region:
        """A part of the page begins."""
        self.end_block()
        self.region = Region(kind, self.region)
        self.regions.append(self.region)
        return self.region

    def leave(self, region: Region) -> None:
        """That part ends."""
        self.end_block()
        region.close()
        self.region = region.parent or self.regions[0]

    def end_block(self) -> None:
        """Ends the block that is open."""
        if self.code is not None or self.heading:
            # Within code and headings a block is a line.
            (self.code.append("\n") if self.code is not None else self.inline.break_line())
            return
        text, links = self.inline.measure()
        mark = self.inline.opening_mark()
        words = self.inline.take(after=mark).strip()
        if not words:
            return
        if self.in_term:
            self.terms.append(" ".join(words.split()))
        elif mark:
            self.put(Note(mark, words), text, links)
        elif self.item is not None:
            self._put_item(words, text, links)
        else:
            self.put(Paragraph(words), text, links)

    def _put_item(self, words: str, text: int, links: int) -> None:
        marker, depth = self.item or ("-", 0)
        self.item = None
        if self.is_note:
            self.put(Note(marker.rstrip("."), words), text, links)
            return
        named = f"{', '.join(self.terms)}: " if self.terms else ""
        self.explained, self.terms = self.terms or self.explained, []
        self.put(Item(named + words, marker, depth), text, links)

    def put_terms(self) -> None:
        """Writes terms that nothing explains."""
        terms, self.terms = self.terms, []
        if terms:
            self.put(Item(", ".join(terms), "-", max(0, len(self.lists) - 1)), sum(map(len, terms)), 0)

    def put(self, block: Block, text: int, links: int) -> None:
        """Writes a block of so many characters, some of them in links."""
        if self.terms and not isinstance(block, Item):
            self.put_terms()
        self.region.text += text
        self.region.links += links
        if self.cells:
            self.cells[-1].append(block)
        else:
            self.placed.append(Placed(block, self.region, text, links))
