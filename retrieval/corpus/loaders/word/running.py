"""Headers and footers without numbers of pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from typing import Any

from retrieval.corpus.loaders.word.markup import child, kind, value

_PAGE = re.compile(r"\b(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)
_GAPS = frozenset(["w:tab", "w:ptab", "w:br"])


def leave_out_page_numbers(root: Any) -> None:
    """Takes away what stands with a page's number between two tabs or line ends, such as "Page 3 of 9"."""
    for paragraph in [one for one in root.iter() if kind(one) == "w:p"]:
        if not any(map(_has_page_number, paragraph)):
            continue
        part: list[Any] = []
        for node in [one for run in list(paragraph) for one in _split(run)]:
            if kind(node) == "w:r" and any(kind(one) in _GAPS for one in node):
                _leave_out(part)
                part = []
            elif kind(node) != "w:pPr":
                part.append(node)
        _leave_out(part)


def _split(run: Any) -> Iterator[Any]:
    """A run as runs in its place that each hold one thing; other elements as they are."""
    if kind(run) != "w:r" or not any(kind(one) in _GAPS for one in run):
        yield run
        return
    setting = child(run, "w:rPr")
    for node in [one for one in run if one is not setting]:
        single = run.makeelement(run.tag)
        if setting is not None:
            single.append(copy(setting))
        run.addprevious(single)
        single.append(node)
        yield single
    run.getparent().remove(run)


def _leave_out(part: list[Any]) -> None:
    if any(map(_has_page_number, part)):
        for node in part:
            node.getparent().remove(node)


def _has_page_number(node: Any) -> bool:
    """Whether something in a paragraph is a page's number, but for what stands in a text box."""
    for one in node.iter():
        name = kind(one)
        text = (
            value(one, "instr") if name == "w:fldSimple" else one.text or "" if name == "w:instrText" else ""
        )
        if (name == "w:pgNum" or _PAGE.search(text)) and not _in_box(one, node):
            return True
    return False


def _in_box(node: Any, end: Any) -> bool:
    return any(kind(one) == "w:txbxContent" for one in _up_to(node, end))


def _up_to(node: Any, end: Any) -> Iterator[Any]:
    while node is not end and node is not None:
        yield node
        node = node.getparent()
