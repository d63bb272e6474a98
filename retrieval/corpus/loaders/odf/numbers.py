"""Numbers of list items and headings, counted as the program that shows the text counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.loaders.odf.names import q, whole
from retrieval.corpus.loaders.odf.styles import Level, Styles
from retrieval.corpus.loaders.web.lists import counted


@dataclass(slots=True)
class OpenList:
    """A list that is being read: its style, the numbers of its levels so far, and how deep it is, from 1."""

    style: str
    depth: int
    numbers: dict[int, int]


@dataclass(slots=True)
class Numbers:
    """Counts the items of all lists of a file, and its headings."""

    styles: Styles
    _by_style: dict[str, dict[int, int]] = field(default_factory=dict)
    _by_id: dict[str, dict[int, int]] = field(default_factory=dict)
    _headings: dict[int, int] = field(default_factory=dict)

    def open(self, node: Any, above: OpenList | None) -> OpenList:
        """A list begins, within the item of another or not."""
        style = node.get(q("text:style-name")) or (above.style if above is not None else "")
        depth = above.depth + 1 if above is not None else 1
        goes_on = node.get(q("text:continue-numbering")) == "true"
        before = self._by_id.get(node.get(q("text:continue-list"), ""))
        if above is not None:
            numbers = above.numbers
        elif before is not None or (goes_on and style in self._by_style):
            numbers = before if before is not None else self._by_style[style]
        else:
            numbers = {}
        if above is not None and not goes_on:
            numbers.pop(depth, None)
        self._by_style[style] = numbers
        if identity := node.get(q("xml:id")):
            self._by_id[identity] = numbers
        return OpenList(style, depth, numbers)

    def marker(self, item: Any, within: OpenList) -> str:
        """The marker of the next item of a list."""
        levels = self.styles.lists.get(within.style, {})
        level = levels.get(within.depth, Level())
        start = item.get(q("text:start-value"))
        _count(within.numbers, within.depth, level, start)
        return _shown(within.numbers, within.depth, levels) or "-"

    def heading(self, node: Any, level: int) -> str:
        """The number of the next heading of a level; "" if headings have none."""
        if node.get(q("text:is-list-header")) == "true":
            return ""
        restarts = node.get(q("text:restart-numbering")) == "true"
        start = node.get(q("text:start-value")) or ("1" if restarts else None)
        _count(self._headings, level, self.styles.outline.get(level, Level()), start)
        return _shown(self._headings, level, self.styles.outline)


def _count(numbers: dict[int, int], depth: int, level: Level, start: str | None) -> None:
    for deeper in [one for one in numbers if one > depth]:
        del numbers[deeper]
    usual = numbers[depth] + 1 if depth in numbers else level.start
    numbers[depth] = whole(start, usual)


def _shown(numbers: Mapping[int, int], depth: int, levels: Mapping[int, Level]) -> str:
    level = levels.get(depth, Level())
    if not level.form:
        return ""
    first = max(1, depth - level.shown + 1)
    parts = [
        counted(numbers.get(one, above.start), above.form)
        for one in range(first, depth + 1)
        if (above := levels.get(one, Level())).form
    ]
    return f"{level.before}{'.'.join(parts)}{level.after}".strip()
