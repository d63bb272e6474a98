"""DOCX: paragraphs, headings, lists and tables, in the order of the file."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml.ns import qn
from lxml import etree

from retrieval.corpus.headings import find_headings
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.word_text import Blocks
from retrieval.corpus.text import make_document
from retrieval.types import Document

_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)
_PARAGRAPH, _TABLE, _ROW, _CELL = (qn(f"w:{tag}") for tag in ("p", "tbl", "tr", "tc"))
_TEXT = qn("w:t")
_SIGNS = {qn("w:tab"): "\t", qn("w:noBreakHyphen"): "-", qn("w:br"): None, qn("w:cr"): None}
# Text that was deleted or moved away, and the second copy of a text box for old programs.
_UNSEEN = frozenset(
    [qn("w:del"), qn("w:moveFrom"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"]
)
_PROPERTIES = qn("w:pPr")


def load_word(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document]:
    """One document of the body's text. Headings are `#` lines, by style, also one based on a heading style.

    Tracked deletions, headers, footers, comments and notes are left out. python-docx reads the XML
    without resolving entities, and within libxml2's limits.
    """
    package = docx.Document(io.BytesIO(data))
    blocks = Blocks()
    _write(package.element.body, _heading_levels(package), blocks)
    text = blocks.text()
    title = package.core_properties.title or next((h.title for h in find_headings(text) if h.level == 1), "")
    yield make_document(name, text, limits, title=title, metadata={"source": name})


def _heading_levels(package: Any) -> dict[str, int]:
    """Style id -> heading level. Ids are in the writer's language, the names behind them are not."""
    levels = {}
    for style in package.styles:
        ancestor, steps = style, 0
        while ancestor is not None and steps < 10:
            found = _HEADING_STYLE.fullmatch(ancestor.name or "")
            if found or ancestor.name == "Title":
                levels[style.style_id] = min(int(found[1]), 6) if found else 1
                break
            ancestor, steps = getattr(ancestor, "base_style", None), steps + 1
    return levels


def _write(body: Any, levels: dict[str, int], blocks: Blocks) -> None:
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, node in walk:
        if event == "start":
            if node.tag in _UNSEEN or node.tag == _PROPERTIES:
                walk.skip_subtree()
            else:
                _start(node, levels, blocks)
        elif node.tag == _ROW:
            blocks.close(gap="\n")
        elif node.tag == _TABLE:
            blocks.paragraph()
        elif node.tag == _PARAGRAPH:
            _end_paragraph(node, levels, blocks)


def _start(node: Any, levels: dict[str, int], blocks: Blocks) -> None:
    if node.tag == _PARAGRAPH:
        _start_paragraph(node, levels, blocks)
    elif node.tag == _TABLE:
        blocks.paragraph()
    elif node.tag == _ROW:
        blocks.row()
    elif node.tag == _CELL:
        blocks.cell()
    elif node.tag == _TEXT:
        blocks.write(node.text or "")
    elif node.tag in _SIGNS:
        sign = _SIGNS[node.tag]
        blocks.write(sign) if sign else blocks.line()


def _start_paragraph(paragraph: Any, levels: dict[str, int], blocks: Blocks) -> None:
    level = levels.get(paragraph.style or "")
    if level:
        blocks.open_heading(level)
    elif _is_item(paragraph):
        blocks.item()
    else:
        blocks.paragraph()


def _end_paragraph(paragraph: Any, levels: dict[str, int], blocks: Blocks) -> None:
    if levels.get(paragraph.style or ""):
        blocks.close()
    elif _is_item(paragraph):
        blocks.close(gap="\n")
    else:
        blocks.paragraph()


def _is_item(paragraph: Any) -> bool:
    properties = paragraph.pPr
    return properties is not None and (
        properties.numPr is not None or str(paragraph.style or "").startswith("List")
    )
