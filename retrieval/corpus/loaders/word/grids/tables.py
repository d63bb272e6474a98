"""Tables of Word documents: which rows name the columns, and which one is the caption."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from retrieval.corpus.blocks import Heading, Table
from retrieval.corpus.loaders.web.grids import OpenCell, OpenTable
from retrieval.corpus.loaders.word.grids.rows import Cell, ReadCell, Row, rows_of
from retrieval.corpus.loaders.word.markup import child, kind, value, walk
from retrieval.corpus.loaders.word.styles import Styles

_MOST_HEADS = 4
_LONGEST_CAPTION = 250
_FIRST_ROW = 0x20
_NUMBER = re.compile(
    r"[-+−–(<>≤≥~≈]?\s*[$€£¥]?\s*\d[\d.,'\u00a0\u202f ]*\s*(?:[%‰°$€£¥]|[A-Za-zµ°]{1,4})?\)?|[-–—]|n/?a",
    re.IGNORECASE,
)
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,8}")
_LETTER = re.compile(r"[^\W\d_]")


def open_table(node: Any, styles: Styles, read: ReadCell) -> OpenTable:
    """The table in `node`; `read` gives the blocks of a cell.

    Rows head the table if they are set to repeat on each page, or are set apart: by the table's style, in
    bold, on a ground of their own. A first row of words above numbers heads it as well if the table has a
    special first row. A first row of one cell over the whole width is the caption.
    """
    rows = rows_of(node, read)
    caption = ""
    if len(rows) > 1 and _is_caption(rows):
        caption = rows[0].cells[0].text
        rows = rows[1:]
    heads = _heads(node, rows, styles)
    for at, row in enumerate(rows):
        for cell in row.cells:
            cell.heading = at < heads
    for at in range(heads + 1, len(rows) - 1) if heads else ():
        if _names_anew(rows, at, styles):
            for cell in rows[at].cells:
                cell.heading = True
    if not heads:
        _mark_names(rows, styles)
    return OpenTable({}, caption, [_open(row) for row in rows])


def _open(row: Row) -> list[OpenCell]:
    skipped = [OpenCell({"colspan": str(row.skipped)}, heading=False)] if row.skipped else []
    return skipped + [
        OpenCell({"rowspan": str(cell.rows), "colspan": str(cell.columns)}, cell.heading, cell.blocks)
        for cell in row.cells
    ]


def _is_caption(rows: Sequence[Row]) -> bool:
    """Whether the first row is one cell of few words over the whole width of a table of several columns."""
    first = rows[0].cells
    if len(first) != 1 or first[0].rows > 1 or not first[0].columns == max(row.width for row in rows) > 1:
        return False
    return len(first[0].text) <= _LONGEST_CAPTION and not any(
        isinstance(one, Table) for one in first[0].blocks
    )


def _heads(table: Any, rows: Sequence[Row], styles: Styles) -> int:
    """How many rows head the table."""
    stated = 0
    while stated < len(rows) and rows[stated].repeated:
        stated += 1
    if not stated and len(rows) > 1:
        stated = _set_apart(rows, styles)
        if not stated and _has_first_row(table) and (_is_styled(table, styles) or _names_numbers(rows)):
            stated = 1
    reach = max((cell.rows for row in rows[:1] for cell in row.cells), default=1)
    return max(stated, reach) if stated and reach < len(rows) else stated


def _names_anew(rows: Sequence[Row], at: int, styles: Styles) -> bool:
    """Whether a row below others names the columns of those that follow: words, set apart as the head is."""
    row = rows[at].filled
    if len(row) < 2 or len(row) < len(rows[at].cells) - 1 or any(_is_number(cell.text) for cell in row):
        return False
    if rows[at].repeated:
        return True
    if any(cell.rows > 1 or not cell.text.strip() for cell in rows[0].cells[1:]):
        return False
    bold = [all(_is_bold(cell, styles) for cell in rows[one].filled) for one in (0, at, at + 1)]
    return bold == [True, True, False]


def _set_apart(rows: Sequence[Row], styles: Styles) -> int:
    """The first rows in bold, or on a ground that no later row has, if they are not all of the rows."""
    found = 0
    while (
        found < len(rows) and rows[found].filled and all(_is_bold(one, styles) for one in rows[found].filled)
    ):
        found += 1
    if not found:
        grounds = {cell.ground for cell in rows[0].cells}
        later = {cell.ground for row in rows[1:] for cell in row.cells}
        found = 1 if "" not in grounds and not grounds & later else 0
    alone = len(rows[0].filled) < 2 < len(rows[0].cells)
    return found if found < len(rows) and found <= _MOST_HEADS and not alone else 0


def _is_bold(cell: Cell, styles: Styles) -> bool:
    """Whether all words of a cell are bold or in headings; False for one without words."""
    if cell.blocks and all(isinstance(block, Heading) for block in cell.blocks):
        return True
    found = False
    for paragraph in walk(cell.node, frozenset(["w:p", "w:tbl"])):
        if kind(paragraph) != "w:p":
            continue
        style = styles.of_paragraph(paragraph)
        for run in walk(paragraph, frozenset(["w:r"])):
            words = kind(run) == "w:r" and any(kind(one) == "w:t" and (one.text or "").strip() for one in run)
            if words and not styles.run(run, style).bold:
                return False
            found = found or words
    return found


def _has_first_row(table: Any) -> bool:
    look = child(table, "w:tblPr", "w:tblLook")
    if look is None:
        return False
    if stated := value(look, "firstRow"):
        return stated.lower() in ("1", "true", "on")
    bits = value(look)
    return bool(_HEXADECIMAL.fullmatch(bits) and int(bits, 16) & _FIRST_ROW)


def _is_styled(table: Any, styles: Styles) -> bool:
    node = child(table, "w:tblPr", "w:tblStyle")
    return styles.style(value(node) if node is not None else "", "table").marks_first_row


def _names_numbers(rows: Sequence[Row]) -> bool:
    """Whether the first row is words, one a column and all different, above columns of numbers.

    A table of two columns may be names with their values from the first row on, and is not taken for one.
    """
    first = rows[0].cells
    names = [cell.text.strip() for cell in first]
    if len(first) < 3 or any(cell.columns > 1 for cell in first) or len(set(names)) < len(names):
        return False
    if not all(_LETTER.search(name) and not _is_number(name) for name in names[1:]):
        return False
    below = [cell.text for row in rows[1:] for cell in row.filled if cell.column]
    return bool(below) and all(map(_is_number, below))


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def _mark_names(rows: Sequence[Row], styles: Styles) -> None:
    """In a table of two columns without a head, a bold first cell names the value beside it."""
    pairs = (len(row.cells) == 2 and _is_bold(row.cells[0], styles) for row in rows)
    if rows and all(pairs) and not any(_is_bold(row.cells[1], styles) for row in rows):
        for row in rows:
            row.cells[0].heading = True
