"""Drawings in a paragraph: the text boxes in them, the words that describe them, what cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.loaders.web.images import image_text
from retrieval.corpus.loaders.word.markup import child, kind, value, walk, whole
from retrieval.corpus.loaders.word.omissions import Omissions

_APART = frozenset(["w:txbxContent", "c:chart", "dgm:relIds"])
_STOPS = _APART | {"o:OLEObject", "cx:chart"}
_LEAST_SIDE = 1_440_000  # English metric units: 4 cm; smaller pictures are signs and logos
# Words that a program wrote, and names that it gave.
_AUTOMATIC = re.compile(
    r"automatically generated|AI-generated|automatisch generiert|^\w+ \d+$", re.IGNORECASE
)
_LENGTH = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([\d.]+)(pt|in|cm|mm|px)?")
_UNITS = {"pt": 12_700, "in": 914_400, "cm": 360_000, "mm": 36_000, "px": 9_525, "": 9_525}


@dataclass(slots=True)
class Drawing:
    """What a drawing says: its words for the line it stands in, and what is read apart from the line.

    `boxes` are the contents of text boxes, and the references to charts and diagrams.
    """

    words: str = ""
    boxes: list[Any] = field(default_factory=list)


def read_drawing(node: Any, omissions: Omissions) -> Drawing:
    """Reads a `w:drawing`, `w:pict` or `w:object`.

    A description of several words is kept. A picture of at least four by four centimetres without one may
    hold text: it is counted, as are objects of other programs.
    """
    drawing = Drawing()
    described, pictures, large, counted = "", 0, _is_large(node), False
    for one in walk(node, _STOPS):
        name = kind(one)
        if name == "wp:docPr":
            if value(one, "hidden").lower() in ("1", "true"):
                return Drawing()
            described = described or _description(value(one, "descr"))
        elif name in _APART:
            drawing.boxes.append(one)
            counted = True
        elif name == "v:textpath":
            drawing.words += f" {value(one, 'string')} "
        elif name in _OMITTED:
            omissions.add("equation | of an old form" if _is_equation(one) else _OMITTED[name])
            counted = True
        elif name in ("pic:pic", "v:imagedata"):
            pictures += 1
        if name in ("v:shape", "v:rect"):
            described = described or _description(value(one, "alt"))
            large = large or _is_large_shape(value(one, "style"))
    if described:
        drawing.words += f" {described} "
    elif pictures and large and not counted:
        omissions.add("picture")
    return drawing


_OMITTED = {"cx:chart": "chart", "o:OLEObject": "embedded object"}


def _description(words: str) -> str:
    return "" if _AUTOMATIC.search(words.strip()) else image_text(words)


def _is_equation(node: Any) -> bool:
    return value(node, "ProgID").lower().startswith(("equation", "mathtype"))


def _is_large(node: Any) -> bool:
    for inner in node:
        extent = child(inner, "wp:extent")
        if extent is not None:
            return min(whole(value(extent, "cx"), 0), whole(value(extent, "cy"), 0)) >= _LEAST_SIDE
    return False


def _is_large_shape(style: str) -> bool:
    sides = {
        name: float(size) * _UNITS[unit] for name, size, unit in _LENGTH.findall(style) if _is_number(size)
    }
    return len(sides) == 2 and min(sides.values()) >= _LEAST_SIDE


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
