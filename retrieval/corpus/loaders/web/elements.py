"""What each kind of element does to the blocks of a page where it begins and where it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from retrieval.corpus.blocks import Code, Heading
from retrieval.corpus.loaders.web.attributes import Kind
from retrieval.corpus.loaders.web.grids import OpenTable
from retrieval.corpus.loaders.web.lists import OpenList
from retrieval.corpus.loaders.web.writing import BlockWriter

Closing: TypeAlias = Callable[[BlockWriter], None]
Attributes: TypeAlias = Mapping[str, str]

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_NOTE_ID = re.compile(r"(?:fn|footnote|endnote|cite_note)[-_:.]?\w*", re.IGNORECASE)
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight|brush:?|sourceCode)[-\s]([\w+#.]{1,20})")


def _open_heading(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    writer.heading = _HEADINGS[tag]
    return _close_heading


def _close_heading(writer: BlockWriter) -> None:
    text, links = writer.inline.measure()
    title = " ".join(writer.inline.take().split())
    level, writer.heading = writer.heading, 0
    if not title or writer.in_term:
        writer.terms += [title] if title else []
        return
    if writer.item is not None and writer.item[0] != "-":
        title = f"{writer.item[0]} {title}"
    writer.item = None
    writer.region.has_title |= level == 1 or writer.region.kind is Kind.HEADER
    writer.put(Heading(title, level), text, links)


def _open_code(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    if writer.code is not None:
        return None
    writer.end_block()
    writer.code = []
    language = _LANGUAGE.search(attributes.get("class", ""))
    writer.language = language[1] if language else ""
    return _close_code


def _open_inner_code(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    language = _LANGUAGE.search(attributes.get("class", ""))
    if writer.code is not None and language:
        writer.language = language[1]
    return None


def _close_code(writer: BlockWriter) -> None:
    text = "".join(writer.code or [])
    writer.code = None
    if text.strip():
        writer.end_block()
        writer.put(Code(text, writer.language), len(text), 0)


def _open_list(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    writer.put_terms()
    writer.lists.append(OpenList.ordered(attributes) if tag == "ol" else OpenList())
    return _close_list


def _close_list(writer: BlockWriter) -> None:
    writer.end_block()
    writer.item = None
    writer.put_terms()
    writer.lists.pop()


def _open_item(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    marker = writer.lists[-1].marker(attributes) if writer.lists else "-"
    writer.item = marker, max(0, len(writer.lists) - 1)
    identity = attributes.get("id", "")
    writer.is_note = marker != "-" and bool(_NOTE_ID.fullmatch(identity))
    return _close_item


def _close_item(writer: BlockWriter) -> None:
    writer.end_block()
    writer.item, writer.is_note = None, False


def _open_term(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    if writer.item is None and not writer.in_term:
        # The terms before it were explained.
        writer.terms = []
    writer.explained = []
    writer.item = None
    writer.in_term = True
    return _close_term


def _close_term(writer: BlockWriter) -> None:
    writer.end_block()
    writer.in_term = False
    writer.item = "-", max(0, len(writer.lists) - 1)


def _open_explanation(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    writer.terms = writer.terms or writer.explained
    writer.item = "-", max(0, len(writer.lists) - 1)
    return _close_explanation


def _close_explanation(writer: BlockWriter) -> None:
    writer.end_block()
    writer.item = None


def _open_table(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    table = OpenTable(dict(attributes))
    writer.tables.append(table)
    item, writer.item = writer.item, None
    depth = len(writer.cells)
    return lambda writer: _close_table(writer, table, depth, item)


def _close_table(writer: BlockWriter, table: OpenTable, depth: int, item: tuple[str, int] | None) -> None:
    writer.end_block()
    del writer.cells[depth:]
    writer.tables.pop()
    writer.item = item
    table.put_in_order()
    for block in table.blocks(writer.name):
        writer.put(block, 0, 0)


def _open_row(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    if writer.tables:
        writer.tables[-1].open_row()
    return BlockWriter.end_block


def _open_cell(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    if not writer.tables:
        return BlockWriter.end_block
    writer.cells.append(writer.tables[-1].open_cell(tag, dict(attributes)).blocks)
    depth = len(writer.cells)
    return lambda writer: _close_cell(writer, depth)


def _close_cell(writer: BlockWriter, depth: int) -> None:
    writer.end_block()
    del writer.cells[depth - 1 :]


def _open_head(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    if not writer.tables:
        return None
    table = writer.tables[-1]
    table.in_head = True
    first = len(table.rows)

    def leave(writer: BlockWriter) -> None:
        writer.end_block()
        table.in_head = False
        table.heads.append(range(first, len(table.rows)))

    return leave


def _open_foot(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    if not writer.tables:
        return None
    table = writer.tables[-1]
    first = len(table.rows)

    def leave(writer: BlockWriter) -> None:
        writer.end_block()
        table.feet.append(range(first, len(table.rows)))

    return leave


def _open_caption(writer: BlockWriter, tag: str, attributes: Attributes) -> Closing | None:
    writer.end_block()
    return _close_caption


def _close_caption(writer: BlockWriter) -> None:
    text = " ".join(writer.inline.take().split())
    if writer.tables:
        writer.tables[-1].caption = text


_Opening: TypeAlias = Callable[[BlockWriter, str, Attributes], Closing | None]
OPENINGS: dict[str, _Opening] = {
    **dict.fromkeys(_HEADINGS, _open_heading),
    **dict.fromkeys(["pre", "listing", "xmp"], _open_code),
    **dict.fromkeys(["ul", "ol", "dl", "menu", "dir"], _open_list),
    **dict.fromkeys(["td", "th"], _open_cell),
    "code": _open_inner_code,
    "li": _open_item,
    "dt": _open_term,
    "dd": _open_explanation,
    "table": _open_table,
    "tr": _open_row,
    "thead": _open_head,
    "tfoot": _open_foot,
    "caption": _open_caption,
}
