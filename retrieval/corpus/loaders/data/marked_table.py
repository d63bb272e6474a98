"""Tables in XML as documents write them: rows of `td` and `th`, or of `entry` (CALS: DocBook, DITA, JATS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.tables import Cell

_PARTS = frozenset(["thead", "tbody", "tfoot"])
_COLUMNS = frozenset(["col", "colgroup", "colspec", "spanspec"])
_ROWS = frozenset(["tr", "row"])
_CELLS = frozenset(["td", "th", "entry"])
_MOST_SPAN = 1000


def marked_rows(node: Any, words: Callable[[Any], str]) -> list[list[Cell]]:
    """The cells of a table by rows, its head first and its foot last; [] for an element that is none.

    `words` gives the text of a cell.
    """
    children = [(local(one).lower(), one) for one in node if isinstance(one.tag, str)]
    if not children or any(kind not in _PARTS | _COLUMNS | _ROWS for kind, _ in children):
        return []
    order = {"thead": 0, "tfoot": 2}
    rows = [
        (kind == "thead", row)
        for kind, one in sorted(children, key=lambda child: order.get(child[0], 1))
        for row in ([one] if kind in _ROWS else one if kind in _PARTS else [])
        if isinstance(row.tag, str)
    ]
    if not rows or any(not _is_row(row) for _, row in rows):
        return []
    names = [one.get("colname", "") for kind, one in children if kind == "colspec"]
    places = {name: at for at, name in enumerate(names) if name}
    return [
        [_cell(one, places, words, in_head=in_head) for one in row if isinstance(one.tag, str)]
        for in_head, row in rows
    ]


def _is_row(node: Any) -> bool:
    cells = [local(one).lower() for one in node if isinstance(one.tag, str)]
    return local(node).lower() in _ROWS and bool(cells) and all(kind in _CELLS for kind in cells)


def _cell(node: Any, places: Mapping[str, int], words: Callable[[Any], str], *, in_head: bool) -> Cell:
    first, last = places.get(node.get("namest", "")), places.get(node.get("nameend", ""))
    columns = last - first + 1 if first is not None and last is not None else _whole(node.get("colspan"), 1)
    rows = max(_whole(node.get("rowspan"), 1), _whole(node.get("morerows"), 0) + 1)
    return Cell(words(node), rows, max(1, columns), in_head or local(node).lower() == "th")


def _whole(value: str | None, otherwise: int) -> int:
    return min(int(value), _MOST_SPAN) if value is not None and value.isdecimal() else otherwise
