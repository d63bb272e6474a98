"""Styles of an OpenDocument text: what is hidden, struck out or raised, and how lists are numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.loaders.odf.names import q, whole
from retrieval.corpus.loaders.web.inline import Style

_MOST_PARENTS = 20
_CODED = re.compile(r"_([0-9a-fA-F]{2})_")
_HEADING = re.compile(r"Heading ([1-9]|10)")
_TEXT = q("style:text-properties")


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is numbered; `form` is "" for a level without numbers."""

    form: str = ""
    before: str = ""
    after: str = ""
    shown: int = 1
    start: int = 1


@dataclass(frozen=True, slots=True)
class Look:
    """What a style of text or paragraphs says, with the styles that it is based on."""

    style: Style = Style.PLAIN
    hidden: bool = False
    names: frozenset[str] = frozenset()
    numbered: bool = True

    @property
    def heading(self) -> int:
        """The level of headings of this style, 0 for other text."""
        levels = [int(found[1]) for name in self.names if (found := _HEADING.fullmatch(name))]
        return min(levels, default=1 if "Title" in self.names else 0)


@dataclass(slots=True)
class Styles:
    """The styles of a file by name."""

    _nodes: dict[str, Any] = field(default_factory=dict)
    _looks: dict[str, Look] = field(default_factory=dict)
    lists: dict[str, dict[int, Level]] = field(default_factory=dict)
    outline: dict[int, Level] = field(default_factory=dict)

    def add(self, root: Any) -> None:
        """Takes the styles of one part of the file."""
        for node in root.iter(q("style:style")):
            if (family := node.get(q("style:family"))) in ("text", "paragraph"):
                self._nodes[f"{family}:{node.get(q('style:name'))}"] = node
        for node in root.iter(q("text:list-style")):
            self.lists[node.get(q("style:name"), "")] = _levels(node)
        for node in root.iter(q("text:outline-style")):
            self.outline = _levels(node)

    def look(self, family: str, name: str | None) -> Look:
        """What a style says; `family` is `text` or `paragraph`."""
        key = f"{family}:{name}"
        if key not in self._looks:
            self._looks[key] = self._found(family, name)
        return self._looks[key]

    def _found(self, family: str, name: str | None) -> Look:
        style, hidden, names, numbered = Style.PLAIN, False, {_plain(name or "")}, True
        # The nearest style that speaks of a property decides it.
        seen: set[str] = set()
        for node in self._chain(family, name):
            names |= {
                _plain(node.get(q(f"style:{key}")) or "") for key in ("display-name", "parent-style-name")
            }
            if node.get(q("style:list-style-name")) is not None and "list" not in seen:
                numbered = bool(node.get(q("style:list-style-name")))
                seen.add("list")
            for properties in node.iterfind(_TEXT):
                for what, value in _said(properties):
                    if what in seen:
                        continue
                    seen.add(what)
                    hidden |= what == "hidden" and bool(value)
                    style |= value if isinstance(value, Style) else Style.PLAIN
        return Look(style, hidden, frozenset(names), numbered)

    def _chain(self, family: str, name: str | None) -> Iterator[Any]:
        for _ in range(_MOST_PARENTS):
            node = self._nodes.get(f"{family}:{name}")
            if node is None:
                return
            yield node
            name = node.get(q("style:parent-style-name"))


def _said(properties: Any) -> Iterator[tuple[str, Style | bool]]:
    """What properties of text say: each subject with its value."""
    if (display := properties.get(q("text:display"))) is not None:
        yield "hidden", display == "none"
    for name in ("text-line-through-style", "text-line-through-type"):
        if (line := properties.get(q(f"style:{name}"))) is not None:
            yield "struck", Style.PLAIN if line == "none" else Style.DELETED
    if position := properties.get(q("style:text-position"), "").split():
        if position[0].startswith(("sub", "-")):
            yield "raised", Style.LOWERED
        else:
            yield "raised", Style.PLAIN if position[0] in ("0%", "0") else Style.RAISED


def _plain(name: str) -> str:
    """A style's name as people see it: `Heading_20_1` is `Heading 1`."""
    return _CODED.sub(lambda found: chr(int(found[1], 16)), name)


def _levels(node: Any) -> dict[int, Level]:
    return {
        whole(level.get(q("text:level")), 1): Level(
            level.get(q("style:num-format"), ""),
            level.get(q("style:num-prefix"), ""),
            level.get(q("style:num-suffix"), ""),
            whole(level.get(q("text:display-levels")), 1),
            whole(level.get(q("text:start-value")), 1),
        )
        for level in node
        if isinstance(level.tag, str)
    }
