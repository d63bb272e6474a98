"""Elements of Word documents by short names, and what of them a reader sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_OFFICE = "http://schemas.openxmlformats.org"
_WORD = f"{_OFFICE}/wordprocessingml/2006/main"
_PREFIXES = {
    _WORD: "w",
    f"{_OFFICE}/officeDocument/2006/math": "m",
    f"{_OFFICE}/drawingml/2006/wordprocessingDrawing": "wp",
    f"{_OFFICE}/drawingml/2006/picture": "pic",
    f"{_OFFICE}/drawingml/2006/chart": "c",
    "http://schemas.microsoft.com/office/drawing/2014/chartex": "cx",
    f"{_OFFICE}/drawingml/2006/diagram": "dgm",
    f"{_OFFICE}/markup-compatibility/2006": "mc",
    "urn:schemas-microsoft-com:vml": "v",
    "urn:schemas-microsoft-com:office:office": "o",
}
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")
_NAMESPACES = {prefix: namespace for namespace, prefix in _PREFIXES.items()}
_OFF = frozenset(["0", "false", "off"])
# What a reader does not see: what was deleted or moved away, small signs above others, and properties.
_UNSEEN = frozenset([
    "w:del", "w:moveFrom", "w:rt", "w:delText", "w:instrText", "w:delInstrText", "w:pPr", "w:rPr", "w:rubyPr",
    "w:sdtPr", "w:sdtEndPr", "w:tblPr", "w:tblGrid", "w:trPr", "w:tcPr", "w:sectPr",
    "w:customXmlPr", "w:smartTagPr",
])  # fmt: skip


@lru_cache(maxsize=4096)
def _short(tag: str) -> str:
    namespace, _, local = tag.removeprefix("{").rpartition("}")
    return f"{_PREFIXES.get(namespace, '')}:{local}"


@lru_cache(maxsize=4096)
def _full(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def kind(node: Any) -> str:
    """The element's name with a short prefix, such as `w:p`; "" for what is no element."""
    return _short(node.tag) if isinstance(node.tag, str) else ""


def value(node: Any, name: str = "val", otherwise: str = "") -> str:
    """An attribute by its local name: Word's own, else one of any namespace."""
    for key in (f"{{{_WORD}}}{name}", name):
        if (found := node.get(key)) is not None:
            return str(found)
    return next((str(found) for key, found in node.attrib.items() if key.endswith(f"}}{name}")), otherwise)


def is_on(node: Any | None) -> bool:
    """Whether a property such as `<w:strike/>` is there and not switched off."""
    return node is not None and value(node).lower() not in _OFF


def child(node: Any | None, *names: str) -> Any | None:
    """The first child of such a name, then its first child of the next name, and so on."""
    for name in names:
        if node is None:
            return None
        node = node.find(_full(name))
    return node


def whole(text: str, otherwise: int) -> int:
    """A whole number of at most nine digits, or `otherwise`."""
    return int(text) if _WHOLE.fullmatch(text) else otherwise


def seen(node: Any) -> list[Any]:
    """The children that a reader sees; of alternative contents only the first, which new programs show."""
    shown: list[Any] = []
    for one in node:
        name = kind(one)
        if name == "mc:AlternateContent":
            shown.extend(_chosen(one))
        elif name and name not in _UNSEEN:
            shown.append(one)
    return shown


def _chosen(alternatives: Any) -> list[Any]:
    """The first choice, or what stands for it in old programs."""
    choice = child(alternatives, "mc:Choice")
    if choice is None:
        choice = child(alternatives, "mc:Fallback")
    return [choice] if choice is not None else []


def walk(node: Any, stops: frozenset[str]) -> Iterator[Any]:
    """All that a reader sees below a node, in order and without recursion; nothing below `stops`."""
    stack = seen(node)[::-1]
    while stack:
        one = stack.pop()
        yield one
        if kind(one) not in stops:
            stack.extend(reversed(seen(one)))
