"""Paragraphs, tables and text boxes of a Word document as blocks, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, Paragraph
from retrieval.corpus.loaders.web.inline import Inline
from retrieval.corpus.loaders.word.grids.tables import open_table
from retrieval.corpus.loaders.word.markup import child, kind, value, walk, whole
from retrieval.corpus.loaders.word.numbers.numbering import Numbering
from retrieval.corpus.loaders.word.runs import Runs
from retrieval.corpus.loaders.word.styles import Number, Style, Styles, heading_level
from retrieval.errors import UnreadableDocument

_MOST_NESTED = 40
_LONGEST_OUTLINED = 200  # characters of a paragraph that is a heading without a heading's style
_PARTS = frozenset(["w:p", "w:tbl", "w:altChunk"])
Referred = Callable[[Any], list[Block]]


@dataclass(slots=True)
class _Story:
    """Where a story is: text that goes on in the next paragraph, and lines of code that may go on."""

    going_on: Inline | None = None
    code: list[str] = field(default_factory=list)

    def take_code(self) -> Iterator[Block]:
        lines, self.code = self.code, []
        if lines:
            yield Code("\n".join(lines))


class Stories:
    """Reads the body of a document and what stands apart from it: cells, text boxes, notes.

    `name` is the file's, for errors; `other_parts` gives the blocks of what an element refers to: an
    inserted file, a chart, a diagram. Without `contents`,
    tables of contents are left out.
    """

    def __init__(
        self,
        name: str,
        styles: Styles,
        numbering: Numbering,
        runs: Runs,
        *,
        other_parts: Referred,
        contents: bool,
    ) -> None:
        self._name = name
        self._styles = styles
        self._numbering = numbering
        self._runs = runs
        self._other_parts = other_parts
        self._contents = contents
        self._marks: frozenset[str] = frozenset()
        self._depth = 0

    def find_marks(self, body: Any) -> None:
        """Finds the raised signs that begin paragraphs: those are notes that someone wrote by hand."""
        paragraphs = (one for one in walk(body, frozenset(["w:r"])) if kind(one) == "w:p")
        self._marks = frozenset(filter(None, map(self._runs.opening_mark, paragraphs)))

    def inner(self, node: Any) -> list[Block]:
        """The blocks of a cell, a text box or a note. Raises UnreadableDocument if it is nested too deep."""
        if self._depth >= _MOST_NESTED:
            raise UnreadableDocument(
                self._name, f"has tables or text boxes over {_MOST_NESTED} deep in each other; simplify it"
            )
        self._depth += 1
        try:
            return list(self.blocks(node))
        finally:
            self._depth -= 1

    def blocks(self, container: Any) -> Iterator[Block]:
        """The blocks of a body or another story."""
        story = _Story()
        for node in (one for one in walk(container, _PARTS) if kind(one) in _PARTS):
            if kind(node) == "w:p":
                yield from self._paragraph(node, story)
                continue
            yield from self._end(story)
            if kind(node) == "w:tbl":
                yield from open_table(node, self._styles, self.inner).blocks(self._name)
            else:
                yield from self._other_parts(node)
        yield from self._end(story)

    def _end(self, story: _Story) -> Iterator[Block]:
        yield from story.take_code()
        if story.going_on is not None:
            text, story.going_on = story.going_on.take(), None
            yield Paragraph(text)

    def _paragraph(self, node: Any, story: _Story) -> Iterator[Block]:
        style = self._styles.of_paragraph(node)
        inline = story.going_on or Inline(self._marks)
        self._runs.write(node, inline, code=style.code)
        boxes, self._runs.boxes = self._runs.boxes, []
        story.going_on = inline if _joins_next(node) else None
        if story.going_on is None and (self._contents or not style.contents):
            yield from self._written(node, inline, style, story)
        for box in boxes:
            yield from self.inner(box) if kind(box) == "w:txbxContent" else self._other_parts(box)

    def _written(self, node: Any, inline: Inline, style: Style, story: _Story) -> Iterator[Block]:
        properties = child(node, "w:pPr")
        number = _number(properties, style)
        marker = self._numbering.marker(number) if number is not None else None
        if style.code:
            story.code.append(inline.take())
            return
        yield from story.take_code()
        mark = inline.opening_mark()
        text = inline.take(after=mark)
        if mark:
            yield Note(mark, text)
            return
        level = _heading_level(properties, style, text)
        if level:
            yield Heading(f"{marker} {text}" if marker and marker != "-" and text.strip() else text, level)
        elif marker and number is not None:
            yield Item(text, marker, self._numbering.level(number) or style.list_depth)
        else:
            yield Paragraph(text)


def _heading_level(properties: Any | None, style: Style, text: str) -> int:
    outline = child(properties, "w:outlineLvl")
    if outline is None or style.level:
        return style.level
    return heading_level(outline) if len(text) <= _LONGEST_OUTLINED else 0


def _number(properties: Any | None, style: Style) -> Number | None:
    """The list that a paragraph belongs to by itself, else by its style."""
    own = child(properties, "w:numPr")
    identifier, level = child(own, "w:numId"), child(own, "w:ilvl")
    depth = whole(value(level), 0) if level is not None else None
    if identifier is not None:
        named = style.number.level if style.number is not None else None
        return Number(value(identifier), depth if depth is not None else named)
    if style.number is not None and depth is not None:
        return Number(style.number.list, depth)
    return style.number


def _joins_next(paragraph: Any) -> bool:
    """Whether its text goes on in the next paragraph: its end was deleted, or it is a large first letter."""
    properties = child(paragraph, "w:pPr")
    mark = child(properties, "w:rPr")
    if any(kind(one) in ("w:del", "w:moveFrom") for one in (mark if mark is not None else ())):
        return True
    frame = child(properties, "w:framePr")
    return frame is not None and value(frame, "dropCap") in ("drop", "margin")
