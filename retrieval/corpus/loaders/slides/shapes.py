"""Shapes of a slide: where they stand, and the order in which a reader takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from retrieval.corpus.loaders.slides.names import q
from retrieval.corpus.loaders.slides.styles import Styles

_MOST_CUT = 400
# Shapes may overlap by this much (EMU, a twentieth of an inch) and still stand one after the other.
_SLACK = 45_720
_HUGE = 10**12
_DRAWN = (q("p:sp"), q("p:graphicFrame"), q("p:pic"), q("p:cxnSp"))
# Date, footer, header and number stand on every slide.
_RUNNING = frozenset(["dt", "ftr", "hdr", "sldNum"])
TITLES = frozenset(["title", "ctrTitle"])


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a slide, in EMU."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Shape:
    """An element with its place, the kind of placeholder it fills ("" for none), or a group with parts."""

    node: Any
    box: Box
    role: str = ""
    parts: Sequence[Shape] = ()


@dataclass(slots=True)
class Shapes:
    """The shapes of a slide in order, and how many were left out since a reader does not see them."""

    styles: Styles
    size: Box
    unseen: int = 0
    shapes: list[Shape] = field(default_factory=list)

    def read(self, tree: Any) -> None:
        """Takes the shapes of a slide's tree: the title first, the others by their places."""
        found = list(self._shapes(tree, _Map()))
        titles = [shape for shape in found if shape.role in TITLES]
        self.shapes = titles + in_order([shape for shape in found if shape.role not in TITLES])

    def _shapes(self, tree: Any, placed: _Map) -> Iterator[Shape]:
        for node in _children(tree):
            properties = node.find(f".//{q('p:cNvPr')}")
            if properties is not None and properties.get("hidden") in ("1", "true"):
                self.unseen += 1
            elif node.tag == q("p:grpSp"):
                yield from self._group(node, placed)
            elif node.tag in _DRAWN:
                role = self.styles.role(node)
                if role in _RUNNING:
                    continue
                shape = Shape(node, placed.box(self.styles.frame(node)), role)
                if self._is_outside(shape.box) and has_text(node):
                    self.unseen += 1
                else:
                    yield shape

    def _group(self, node: Any, placed: _Map) -> Iterator[Shape]:
        frame = node.find(f"{q('p:grpSpPr')}/{q('a:xfrm')}")
        parts = list(self._shapes(node, placed.within(frame)))
        if parts:
            boxes = [part.box for part in parts]
            box = Box(
                min(one.left for one in boxes),
                min(one.top for one in boxes),
                max(one.right for one in boxes),
                max(one.bottom for one in boxes),
            )
            yield Shape(node, box, parts=in_order(parts))

    def _is_outside(self, box: Box) -> bool:
        size = self.size
        across = box.right < size.left or box.left > size.right
        return across or box.bottom < size.top or box.top > size.bottom


def has_text(node: Any) -> bool:
    """Whether there are words in an element."""
    return any((text.text or "").strip() for text in node.iter(q("a:t")))


def in_order(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes as they are read: cut where the widest gap is, into rows or columns, and so on in each.

    >>> def box(left, top): return Shape(f"{left},{top}", Box(left, top, left + 300_000, top + 100_000))
    >>> heads_over_texts = [box(0, 0), box(900_000, 0), box(0, 150_000), box(900_000, 150_000)]
    >>> [shape.node for shape in in_order(heads_over_texts)]
    ['0,0', '0,150000', '900000,0', '900000,150000']
    """
    waiting: list[list[Shape]] = [sorted(shapes, key=lambda shape: (shape.box.top, shape.box.left))]
    ordered: list[Shape] = []
    while waiting:
        group = waiting.pop()
        cut = _cut(group) if 1 < len(group) <= _MOST_CUT else None
        if cut is None:
            ordered += group
        else:
            waiting += reversed(cut)
    return ordered


_Span: TypeAlias = tuple[float, float, Shape]


def _cut(group: Sequence[Shape]) -> tuple[list[Shape], list[Shape]] | None:
    rows = _widest([(shape.box.top, shape.box.bottom, shape) for shape in group])
    columns = _widest([(shape.box.left, shape.box.right, shape) for shape in group])
    found = max((one for one in (rows, columns) if one is not None), key=lambda one: one[0], default=None)
    if found is None:
        return None
    before = [shape for shape in group if id(shape) in found[1]]
    return before, [shape for shape in group if id(shape) not in found[1]]


def _widest(spans: list[_Span]) -> tuple[float, set[int]] | None:
    """The widest gap along an axis, and the shapes before it."""
    spans.sort(key=lambda span: span[:2])
    best, at, end = -float(_SLACK), 0, spans[0][1]
    for number, (first, last, _) in enumerate(spans[1:], 1):
        if first - end > best:
            best, at = first - end, number
        end = max(end, last)
    return (best, {id(shape) for _, _, shape in spans[:at]}) if at else None


def _children(tree: Any) -> Iterator[Any]:
    """The elements of a tree; of alternatives the first, which is for programs that know it."""
    for node in tree:
        if node.tag != q("mc:AlternateContent"):
            yield node
            continue
        choice = next((one for one in node if len(one)), None)
        if choice is not None:
            yield from choice


@dataclass(frozen=True, slots=True)
class _Map:
    """From a group's coordinates to the slide's."""

    x: float = 0
    y: float = 0
    across: float = 1
    down: float = 1

    def box(self, frame: Any | None) -> Box:
        """The place of a shape; the upper left corner for one without a place."""
        left, top, width, height = _numbers(frame, "off", "ext") or (0, 0, 0, 0)
        left, top = self.x + left * self.across, self.y + top * self.down
        return Box(left, top, left + width * self.across, top + height * self.down)

    def within(self, frame: Any | None) -> _Map:
        """That of a group in it."""
        outer, inner = _numbers(frame, "off", "ext"), _numbers(frame, "chOff", "chExt")
        if outer is None or inner is None:
            return self
        across = outer[2] / inner[2] if inner[2] else 1.0
        down = outer[3] / inner[3] if inner[3] else 1.0
        x, y = outer[0] - inner[0] * across, outer[1] - inner[1] * down
        return _Map(self.x + x * self.across, self.y + y * self.down, self.across * across, self.down * down)


def _numbers(frame: Any | None, offset: str, extent: str) -> tuple[float, float, float, float] | None:
    if frame is None:
        return None
    first, second = frame.find(q(f"a:{offset}")), frame.find(q(f"a:{extent}"))
    if first is None or second is None:
        return None
    values = (first.get("x"), first.get("y"), second.get("cx"), second.get("cy"))
    try:
        x, y, width, height = (max(-_HUGE, min(_HUGE, int(value or 0))) for value in values)
    except ValueError:
        return None
    return x, y, width, height
