"""Texts of XLSX cells: runs that are raised or struck out, and signs that XML cannot hold."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.web.inline import Inline, Style

_CODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_OFF = ("0", "false", "none")


def rich_text(node: Any) -> str:
    """The text of an item: of its runs, or its own; without the reading aids of East Asian scripts."""
    if len(node) == 1 and local(node[0]) == "t":
        return decoded((node[0].text or "").replace("\xad", ""))
    line = Inline(())
    for child in node:
        kind = local(child)
        if kind == "t":
            line.write(child.text or "", Style.PLAIN, keep_spaces=True)
        elif kind == "r":
            style = Style.PLAIN
            words = ""
            for part in child:
                if local(part) == "rPr":
                    style = font_style(part)
                elif local(part) == "t":
                    words += part.text or ""
            line.write(words, style, keep_spaces=True)
    return decoded(line.take())


def font_style(node: Any) -> Style:
    """How a font sets text: raised, lowered, struck out."""
    style = Style.PLAIN
    for child in node:
        kind, value = local(child), (child.get("val") or "1").lower()
        if kind == "strike" and value not in _OFF:
            style |= Style.DELETED
        elif kind == "vertAlign" and value in ("superscript", "subscript"):
            style |= Style.RAISED if value == "superscript" else Style.LOWERED
    return style


def decoded(text: str) -> str:
    """A text with the signs that the format writes by their codes.

    >>> decoded("a_x000D_b")
    'a\\rb'
    """
    return _CODED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def shared_strings(data: bytes | None) -> list[str]:
    """The texts that cells refer to by number."""
    return [rich_text(node) for node in elements(data, "si")] if data else []


def elements(data: bytes, *names: str) -> Iterator[Any]:
    """Elements of these names as they end, without entities and network; each is emptied after its turn."""
    tags = [f"{{*}}{name}" for name in names]
    walk = etree.iterparse(
        io.BytesIO(data), events=("end",), tag=tags, resolve_entities=False, load_dtd=False, no_network=True
    )
    for _, node in walk:
        yield node
        node.clear(keep_tail=False)
        parent = node.getparent()
        while parent is not None and node.getprevious() is not None:
            del parent[0]
