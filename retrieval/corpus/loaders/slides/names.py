"""The names of elements of presentations."""

from __future__ import annotations

_OFFICE = "http://schemas.openxmlformats.org/"
SPACES = {
    "a": f"{_OFFICE}drawingml/2006/main",
    "c": f"{_OFFICE}drawingml/2006/chart",
    "d": f"{_OFFICE}drawingml/2006/diagram",
    "m": f"{_OFFICE}officeDocument/2006/math",
    "p": f"{_OFFICE}presentationml/2006/main",
    "r": f"{_OFFICE}officeDocument/2006/relationships",
    "mc": f"{_OFFICE}markup-compatibility/2006",
}


def q(name: str) -> str:
    """`a:p` as lxml names it.

    >>> q("a:p")
    '{http://schemas.openxmlformats.org/drawingml/2006/main}p'
    """
    space, _, rest = name.partition(":")
    return f"{{{SPACES[space]}}}{rest}"
