"""What a shape has from the slide's layout and master: its place, its kind and its bullets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retrieval.corpus.loaders.slides.names import q

_BULLETS = {q("a:buNone"), q("a:buChar"), q("a:buAutoNum"), q("a:buBlip")}
_BODIES = frozenset(["", "body", "obj", "subTitle", "tbl", "chart", "dgm", "media", "clipArt", "pic"])


@dataclass(frozen=True, slots=True)
class Bullet:
    """`kind` is "char" for a sign, else that of automatic numbers, such as `arabicPeriod`."""

    kind: str = "char"
    start: int = 1


class Styles:
    """Looks up placeholders on the layout and the master of a slide."""

    def __init__(self, layout: Any | None, master: Any | None) -> None:
        self._pages = [page for page in (layout, master) if page is not None]
        self._texts = master.find(q("p:txStyles")) if master is not None else None

    def role(self, node: Any) -> str:
        """The kind of placeholder that an element fills, `obj` for one of any content; "" for none."""
        place = _placeholder(node)
        return "" if place is None else place.get("type") or self._inherited_kind(place)

    def frame(self, node: Any) -> Any | None:
        """The element with the shape's place, its own or that of the layout's placeholder."""
        for one in (node, *self._behind(node)):
            for path in (f"{q('p:spPr')}/{q('a:xfrm')}", q("p:xfrm")):
                if (frame := one.find(path)) is not None:
                    return frame
        return None

    def bullet(self, node: Any, paragraph: Any, level: int) -> Bullet | None:
        """The bullet of a paragraph in a shape; None if it has none."""
        for properties in self._properties(node, paragraph, level):
            for one in properties if properties is not None else ():
                if one.tag in _BULLETS:
                    return _bullet(one)
        return None

    def _properties(self, node: Any, paragraph: Any, level: int) -> Iterator[Any | None]:
        wanted = q(f"a:lvl{level + 1}pPr")
        yield paragraph.find(q("a:pPr"))
        for one in (node, *self._behind(node)):
            yield one.find(f"{q('p:txBody')}/{q('a:lstStyle')}/{wanted}")
        if self._texts is not None:
            yield self._texts.find(f"{q('p:' + self._text_style(node))}/{wanted}")

    def _text_style(self, node: Any) -> str:
        place = _placeholder(node)
        if place is None:
            return "otherStyle"
        kind = place.get("type", "")
        return (
            "titleStyle"
            if kind in ("title", "ctrTitle")
            else "bodyStyle"
            if kind in _BODIES
            else "otherStyle"
        )

    def _inherited_kind(self, place: Any) -> str:
        places = (_placeholder(one) for one in self._matching(place))
        kinds = (one.get("type") for one in places if one is not None)
        return next((kind for kind in kinds if kind), "obj")

    def _behind(self, node: Any) -> Iterator[Any]:
        """The placeholders of the layout and of the master that a shape fills."""
        place = _placeholder(node)
        if place is not None:
            yield from self._matching(place)

    def _matching(self, place: Any) -> Iterator[Any]:
        for number, page in enumerate(self._pages):
            found = _found(page, place, by_index=number == 0)
            if found is not None:
                yield found
                place = _placeholder(found)


def _placeholder(node: Any) -> Any | None:
    for tag in ("nvSpPr", "nvPicPr", "nvGraphicFramePr"):
        if (place := node.find(f"{q('p:' + tag)}/{q('p:nvPr')}/{q('p:ph')}")) is not None:
            return place
    return None


def _found(page: Any, wanted: Any, *, by_index: bool) -> Any | None:
    """A placeholder of the same number on a layout; of the same kind on a master, or else."""
    kind = _family(wanted.get("type", ""))
    others = [
        (node, place)
        for node in page.iter(q("p:sp"), q("p:pic"))
        if (place := _placeholder(node)) is not None
    ]
    if by_index and wanted.get("idx"):
        same = (node for node, place in others if place.get("idx") == wanted.get("idx"))
        if (found := next(same, None)) is not None:
            return found
    return next((node for node, place in others if _family(place.get("type", "")) == kind), None)


def _family(kind: str) -> str:
    return "title" if kind in ("title", "ctrTitle") else "body" if kind in _BODIES else kind


def _bullet(node: Any) -> Bullet | None:
    if node.tag == q("a:buNone"):
        return None
    if node.tag != q("a:buAutoNum"):
        return Bullet()
    start = node.get("startAt", "1")
    return Bullet(node.get("type", "arabicPeriod"), int(start) if start.isdecimal() else 1)
