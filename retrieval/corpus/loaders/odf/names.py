"""The names of elements and attributes of OpenDocument files."""

from __future__ import annotations

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "draw": f"{_OASIS}drawing:1.0",
    "chart": f"{_OASIS}chart:1.0",
    "manifest": f"{_OASIS}manifest:1.0",
    "math": "http://www.w3.org/1998/Math/MathML",
    "meta": f"{_OASIS}meta:1.0",
    "office": f"{_OASIS}office:1.0",
    "style": f"{_OASIS}style:1.0",
    "svg": f"{_OASIS}svg-compatible:1.0",
    "table": f"{_OASIS}table:1.0",
    "text": f"{_OASIS}text:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "xml": "http://www.w3.org/XML/1998/namespace",
}


def q(name: str) -> str:
    """`text:p` as lxml names it.

    >>> q("text:p")
    '{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p'
    """
    space, _, rest = name.partition(":")
    return f"{{{_SPACES[space]}}}{rest}"


def whole(value: str | None, otherwise: int, *, most: int = 1_000_000) -> int:
    """A number of an attribute, at most `most`."""
    return min(int(value), most) if value is not None and value.isdecimal() else otherwise
