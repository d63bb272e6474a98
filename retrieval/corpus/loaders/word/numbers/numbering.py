"""Numbers of lists and headings as a reader of a Word document sees them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from retrieval.corpus.loaders.word.markup import child, is_on, kind, value, whole
from retrieval.corpus.loaders.word.numbers.counting import counted
from retrieval.corpus.loaders.word.styles import Number, Styles

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_ENGLISH_WORDS = frozenset(["ordinal", "cardinalText", "ordinalText"])


@dataclass(frozen=True, slots=True)
class Level:
    """How the items of one level of a list are numbered.

    `restart` is the level, counted from 1, whose items begin it anew: 0 none, None each outer one.
    """

    start: int = 1
    form: str = "decimal"
    text: str = ""
    restart: int | None = None
    in_digits: bool = False
    style: str = ""
    hidden: bool = False


@dataclass(slots=True)
class _List:
    """A list as paragraphs refer to it: the levels, and numbers at which its levels start anew."""

    counts: str
    levels: dict[int, Level]
    starts: dict[int, int] = field(default_factory=dict)
    begun: bool = False


class Numbering:
    """The lists of a document with their counts, for one reading from start to end."""

    def __init__(self, root: Any | None, styles: Styles) -> None:
        nodes = list(root) if root is not None else []
        self._abstract = {value(one, "abstractNumId"): one for one in nodes if kind(one) == "w:abstractNum"}
        self._numbers = {value(one, "numId"): one for one in nodes if kind(one) == "w:num"}
        self._styles = styles
        self._lists: dict[str, _List | None] = {}
        self._counts: dict[str, list[int | None]] = defaultdict(lambda: [None] * _LEVELS)
        self._in_english = not styles.language or styles.language.lower().startswith("en")

    def level(self, number: Number) -> int:
        """How deep in its list a paragraph is, from 0."""
        found = self._list(number.list)
        if found is not None and number.style:
            linked = (at for at, level in found.levels.items() if level.style == number.style)
            return next(linked, number.level or 0)
        return min(max(number.level or 0, 0), _LEVELS - 1)

    def marker(self, number: Number) -> str | None:
        """The marker of the next paragraph of that list: `-` for bullets, "" for none that is seen.

        None if it is in no list.
        """
        found = self._list(number.list)
        at = self.level(number)
        if found is None or at not in found.levels:
            return None
        self._count(found, at)
        return self._shown(found, at)

    def _count(self, found: _List, at: int) -> None:
        counts = self._counts[found.counts]
        if not found.begun:
            found.begun = True
            for level in found.starts:
                counts[level] = None
        before = counts[at]
        counts[at] = self._start(found, at) if before is None else before + 1
        for deeper in range(at + 1, _LEVELS):
            restart = found.levels[deeper].restart if deeper in found.levels else None
            if restart is None or at < restart:
                counts[deeper] = None

    def _shown(self, found: _List, at: int) -> str:
        level = found.levels[at]
        if level.hidden:
            return ""
        if level.form == "bullet":
            return "-" if level.text.strip() else ""
        counts = self._counts[found.counts]

        def number(place: re.Match[str]) -> str:
            other = int(place[1]) - 1
            own = found.levels.get(other, Level())
            count = counts[other]
            return self._written(
                count if count is not None else self._start(found, other),
                "decimal" if level.in_digits else own.form,
            )

        return " ".join(_PLACE.sub(number, level.text).split())

    def _written(self, number: int, form: str) -> str:
        if form in ("none", "bullet"):
            return ""
        return counted(number, form if self._in_english or form not in _ENGLISH_WORDS else "decimal")

    @staticmethod
    def _start(found: _List, at: int) -> int:
        return found.starts.get(at, found.levels[at].start if at in found.levels else 1)

    def _list(self, identifier: str) -> _List | None:
        if identifier not in self._lists:
            self._lists[identifier] = self._read(identifier)
        return self._lists[identifier]

    def _read(self, identifier: str) -> _List | None:
        node = self._numbers.get(identifier)
        if node is None or identifier == "0":
            return None
        abstract = child(node, "w:abstractNumId")
        counts, definition = self._defined(value(abstract) if abstract is not None else "", 0)
        levels = _levels(definition) if definition is not None else {}
        found = _List(counts, levels)
        for override in node:
            if kind(override) == "w:lvlOverride":
                self._override(found, override)
        return found if levels else None

    @staticmethod
    def _override(found: _List, override: Any) -> None:
        at = whole(value(override, "ilvl"), -1)
        if not 0 <= at < _LEVELS:
            return
        for level in override:
            if kind(level) == "w:lvl":
                found.levels[at] = _level(level)
        start = child(override, "w:startOverride")
        if start is not None:
            found.starts[at] = whole(value(start), 1)

    def _defined(self, identifier: str, steps: int) -> tuple[str, Any | None]:
        """Where the levels of a list are: in its own definition, or in that of the style it links to."""
        node = self._abstract.get(identifier)
        link = child(node, "w:numStyleLink")
        if link is None or steps > 3:
            return identifier, node
        named = self._styles.style(value(link), "numbering").number
        other = self._numbers.get(named.list) if named is not None else None
        abstract = child(other, "w:abstractNumId")
        return self._defined(value(abstract), steps + 1) if abstract is not None else (identifier, node)


def _levels(definition: Any) -> dict[int, Level]:
    found = {}
    for node in definition:
        at = whole(value(node, "ilvl"), -1) if kind(node) == "w:lvl" else -1
        if 0 <= at < _LEVELS:
            found[at] = _level(node)
    return found


def _level(node: Any) -> Level:
    parts = {kind(one): one for one in node}

    def of(name: str, otherwise: str = "") -> str:
        return value(parts[name], otherwise=otherwise) if name in parts else otherwise

    return Level(
        start=whole(of("w:start"), 0 if "w:start" not in parts else 1),
        form="bullet" if "w:lvlPicBulletId" in parts else of("w:numFmt", "decimal") or "decimal",
        text=of("w:lvlText") or ("•" if "w:lvlPicBulletId" in parts else ""),
        restart=whole(of("w:lvlRestart"), 0) if "w:lvlRestart" in parts else None,
        in_digits=is_on(parts.get("w:isLgl")),
        style=of("w:pStyle"),
        hidden=is_on(child(parts.get("w:rPr"), "w:vanish")),
    )
