"""The body of an OpenDocument text as blocks, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, Paragraph, Table
from retrieval.corpus.loaders.odf.names import q, whole
from retrieval.corpus.loaders.odf.numbers import Numbers, OpenList
from retrieval.corpus.loaders.odf.objects import Part, equation, object_root
from retrieval.corpus.loaders.odf.styles import Look, Styles
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.loaders.web.images import image_text
from retrieval.corpus.loaders.web.inline import Inline, Style
from retrieval.corpus.tables import Cell, tables_of
from retrieval.errors import UnreadableDocument

_MOST_ROWS = 200_000
_SIGNS = {q("text:s"): " ", q("text:tab"): "\t"}
# Deleted text, tables of contents, forms, and what is declared for fields.
_UNSEEN = frozenset(
    map(
        q,
        [
            *("text:tracked-changes", "text:table-of-content", "text:alphabetical-index"),
            *("text:illustration-index", "text:table-index", "text:object-index", "text:user-index"),
            *("text:variable-decls", "text:sequence-decls", "text:user-field-decls"),
            *("text:dde-connection-decls", "text:hidden-text", "text:ruby-text", "office:forms"),
            *("office:annotation-end", "office:event-listeners", "svg:title", "svg:desc"),
        ],
    )
)


class Body:
    """Turns elements into blocks; `part` gives other parts of the package, `name` is the file's."""

    def __init__(self, name: str, styles: Styles, part: Part) -> None:
        self.left_out = 0
        self._name = name
        self._styles = styles
        self._part = part
        self._numbers = Numbers(styles)

    def blocks(self, node: Any) -> Iterator[Block]:
        """The blocks of an element's children. Lines of code that follow each other are one block."""
        lines: list[str] = []
        for block in self._children(node, None):
            if isinstance(block, Code):
                lines.append(block.text)
                continue
            if lines:
                yield Code("\n".join(lines))
                lines = []
            yield block
        if lines:
            yield Code("\n".join(lines))

    def _children(self, node: Any, within: OpenList | None) -> Iterator[Block]:
        for child in node:
            if not isinstance(child.tag, str) or child.tag in _UNSEEN or _is_hidden(child):
                continue
            if child.tag in (q("text:p"), q("text:h")):
                yield from _Paragraph(self, child).blocks("")
            elif child.tag == q("text:list"):
                yield from self._list(child, within)
            elif child.tag == q("table:table"):
                yield from self.table(child)
            elif child.tag == q("draw:frame"):
                yield from self.frame(child)
            else:
                yield from self._children(child, within)

    def _list(self, node: Any, above: OpenList | None) -> Iterator[Block]:
        opened = self._numbers.open(node, above)
        for item in node:
            if item.tag not in (q("text:list-item"), q("text:list-header")):
                continue
            is_item = item.tag == q("text:list-item")
            marker = ""
            for child in item:
                if child.tag in (q("text:p"), q("text:h")):
                    if is_item and not marker:
                        marker = self._numbers.marker(item, opened)
                        yield from _Paragraph(self, child).blocks(marker, opened.depth - 1)
                    else:
                        yield from _Paragraph(self, child).blocks("")
                elif child.tag == q("text:list"):
                    yield from self._list(child, opened)
                elif isinstance(child.tag, str) and child.tag not in _UNSEEN:
                    yield from self._children(child, opened)

    def table(self, node: Any, caption: str = "") -> Iterator[Block]:
        """A table, and after it the notes of its cells."""
        rows: list[list[Cell]] = []
        notes: list[Block] = []
        for row in _rows(node):
            cells = list(self._cells(row, notes))
            filled = any(cell.text for cell in cells)
            repeated = whole(row.get(q("table:number-rows-repeated")), 1) if filled else 1
            if len(rows) + repeated > _MOST_ROWS:
                raise UnreadableDocument(self._name, f"has a table of over {_MOST_ROWS} rows; split it")
            rows += [cells] * repeated
        if rows:
            yield from tables_of(self._name, rows, caption=caption)
        yield from notes

    def _cells(self, row: Any, notes: list[Block]) -> Iterator[Cell]:
        in_head = row.getparent().tag == q("table:table-header-rows")
        for node in row.iterchildren(q("table:table-cell")):
            blocks = list(self.blocks(node))
            notes += [block for block in blocks if isinstance(block, Note)]
            text = cell_text(block for block in blocks if not isinstance(block, Note))
            cell = Cell(
                text,
                whole(node.get(q("table:number-rows-spanned")), 1),
                whole(node.get(q("table:number-columns-spanned")), 1),
                in_head or self._is_heading(node),
            )
            # Beyond a thousand columns `tables_of` refuses the table.
            yield from [cell] * whole(node.get(q("table:number-columns-repeated")), 1, most=1001)

    def _is_heading(self, cell: Any) -> bool:
        first = cell.find(q("text:p"))
        return first is not None and "Table Heading" in self.look(first).names

    def frame(self, node: Any) -> Iterator[Block]:
        """A text box, a chart, or the words for a picture; of several, which show the same, the first."""
        for child in node:
            if child.tag == q("draw:text-box"):
                yield from self._children(child, None)
                return
            if child.tag == q("draw:object"):
                root = object_root(child, self._part)
                if root is not None and root.tag == q("office:chart"):
                    yield from self._chart(root)
                    return
                self.left_out += root is None
            if child.tag == q("draw:object-ole"):
                self.left_out += 1

    def _chart(self, root: Any) -> Iterator[Block]:
        title = next(root.iter(q("chart:title")), None)
        caption = " ".join("".join(title.itertext()).split()) if title is not None else ""
        for table in root.iter(q("table:table")):
            yield from self.table(table, caption)

    def look(self, paragraph: Any) -> Look:
        """What the style of a paragraph says."""
        return self._styles.look("paragraph", paragraph.get(q("text:style-name")))

    def text_style(self, span: Any) -> Look:
        """What the style of a piece of text says."""
        return self._styles.look("text", span.get(q("text:style-name")))

    def heading_number(self, node: Any, level: int) -> str:
        """The number of a heading; "" for a paragraph that only looks like one."""
        counts = node.tag == q("text:h") and self.look(node).numbered
        return self._numbers.heading(node, level) if counts else ""

    def formula(self, frame: Any) -> str:
        """The formula in a frame, or the words for its picture; "" for other frames."""
        for node in frame.iterchildren(q("draw:object")):
            root = object_root(node, self._part)
            if root is not None and root.tag == q("math:math"):
                return f" {equation(root)} "
        words = (frame.findtext(q(f"svg:{tag}")) or "" for tag in ("desc", "title"))
        shown = image_text(next(filter(None, words), "")) if frame.find(q("draw:image")) is not None else ""
        return f" {shown} " if shown else ""


class _Paragraph:
    """One paragraph or heading: its words, and what hangs on it."""

    def __init__(self, body: Body, node: Any) -> None:
        self._body = body
        self._node = node
        self._line = Inline(())
        self._after: list[Block] = []
        look = body.look(node)
        self._look = look
        self._is_code = "Preformatted Text" in look.names
        self._hidden = look.hidden or any(
            field.get(q("text:is-hidden")) == "true" for field in node.iter(q("text:hidden-paragraph"))
        )
        if not self._hidden:
            self._write(node, look.style)

    def blocks(self, marker: str, depth: int = 0) -> Iterator[Block]:
        """The paragraph as an item if it has a marker, with its notes and frames after it."""
        words = self._line.take()
        level = self._level()
        if self._hidden:
            return
        if level and words.strip():
            number = marker if marker not in ("", "-") else self._body.heading_number(self._node, level)
            yield Heading(f"{number} {words.strip()}".strip(), level)
        elif self._is_code:
            yield Code(words)
        elif words.strip() and marker:
            yield Item(words.strip(), marker, depth)
        else:
            yield Paragraph(words.strip())
        yield from self._after

    def _level(self) -> int:
        if self._node.tag == q("text:h"):
            return max(1, min(6, whole(self._node.get(q("text:outline-level")), 1)))
        return min(6, self._look.heading)

    def _write(self, node: Any, style: Style) -> None:
        self._text(node.text, style)
        for child in node:
            if isinstance(child.tag, str):
                self._write_child(child, style)
            self._text(child.tail, style)

    def _write_child(self, child: Any, style: Style) -> None:
        if child.tag in _SIGNS:
            spaces = whole(child.get(q("text:c")), 1, most=200)
            self._line.write(_SIGNS[child.tag] * spaces, style, keep_spaces=self._is_code)
        elif child.tag == q("text:line-break"):
            self._line.break_line()
        elif child.tag == q("text:note"):
            self._note(child)
        elif child.tag == q("office:annotation"):
            self._comment(child)
        elif child.tag == q("draw:frame"):
            self._line.write(self._body.formula(child), style)
            self._after += self._body.frame(child)
        elif child.tag.startswith(q("draw:")[:-1]) and child.tag != q("draw:a"):
            self._after += self._body.blocks(child)
        elif child.tag == q("text:span"):
            look = self._body.text_style(child)
            if not look.hidden:
                self._write(child, style | look.style)
        elif child.tag == q("text:a"):
            self._write(child, style | Style.LINKED)
        elif child.tag not in _UNSEEN and not _is_hidden(child):
            self._write(child, style)

    def _text(self, text: str | None, style: Style) -> None:
        if text:
            self._line.write(text, style, keep_spaces=self._is_code)

    def _note(self, node: Any) -> None:
        mark = "".join(
            one for cited in node.iterchildren(q("text:note-citation")) for one in cited.itertext()
        )
        self._line.write(mark, Style.RAISED | Style.LINKED)
        body = node.find(q("text:note-body"))
        if body is not None:
            self._after.append(Note(mark, cell_text(self._body.blocks(body))))

    def _comment(self, node: Any) -> None:
        author = node.findtext(q("dc:creator")) or ""
        words = cell_text(block for block in self._body.blocks(node) if not isinstance(block, Table))
        if words:
            self._after.append(Note(f"comment by {author}" if author else "comment", words))


def _is_hidden(node: Any) -> bool:
    """Whether a section or a row is not shown."""
    if node.tag == q("text:section"):
        display = node.get(q("text:display"))
        return display == "none" or (display == "condition" and node.get(q("text:is-hidden")) == "true")
    return node.get(q("table:visibility")) in ("collapse", "filter")


def _rows(node: Any) -> Iterator[Any]:
    for child in node:
        if child.tag == q("table:table-row") and not _is_hidden(child):
            yield child
        elif child.tag in (q("table:table-header-rows"), q("table:table-rows"), q("table:table-row-group")):
            yield from _rows(child)
