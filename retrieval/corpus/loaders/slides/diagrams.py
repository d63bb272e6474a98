"""Diagrams (SmartArt) as list items, each as deep as it stands in the diagram."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from retrieval.corpus.blocks import Item
from retrieval.corpus.loaders.slides.names import q
from retrieval.corpus.loaders.slides.words import plain_text

# Links to the shapes that draw a point, and to the point that says how.
_DRAWING = frozenset(["presOf", "presParOf", "unknownRelationship"])
_DEEPEST = 60


def diagram_items(model: Any) -> Iterator[Item]:
    """The points of a diagram that have text, in order."""
    points = {point.get("modelId"): point for point in model.iter(q("d:pt"))}
    below: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for link in model.iter(q("d:cxn")):
        if link.get("type") not in _DRAWING:
            order = link.get("srcOrd", "0")
            below[link.get("srcId")].append((int(order) if order.isdecimal() else 0, link.get("destId")))
    tops = [identity for identity, point in points.items() if point.get("type") == "doc"]
    waiting = [(identity, -1) for identity in reversed(tops)]
    seen = set()
    while waiting:
        identity, depth = waiting.pop()
        if identity in seen or depth > _DEEPEST or identity not in points:
            continue
        seen.add(identity)
        body = points[identity].find(q("d:t"))
        text = plain_text(body) if body is not None and depth >= 0 else ""
        if text:
            yield Item(text, "-", depth)
        waiting += [(one, depth + 1) for _, one in sorted(below[identity], reverse=True)]
