"""Styles of a Word document: what a paragraph and a run are set as, through all styles they are based on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from retrieval.corpus.loaders.word.markup import child, is_on, kind, value, whole

_MOST_STEPS = 20
# Names of the built-in headings: English in Word's own files, in their language in those of some programs.
_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|címsor|başlık"
    r"|заголовок|标题|標題|見出し|제목)\s*([1-9])",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"toc (?:[1-9]|heading)", re.IGNORECASE)
_LIST = re.compile(r"list (?:bullet|number|continue)? ?([2-5])", re.IGNORECASE)
_CODE = frozenset(
    ["source code", "html preformatted", "code", "code block", "macro text", "preformatted text"]
)
_LEAST_SIZE = 2  # half points; what is as small is not seen
_LEAST_RISE = 3  # half points from which text is raised or lowered as a superscript is


@dataclass(frozen=True, slots=True)
class RunSetting:
    """How a run is set; None where nothing says so. `raised` is 1 for superscripts, -1 for subscripts."""

    hidden: bool | None = None
    struck: bool | None = None
    bold: bool | None = None
    raised: int | None = None
    font: str | None = None

    def over(self, below: RunSetting) -> RunSetting:
        """Itself, and what is set below where it says nothing."""
        return RunSetting(
            *(
                own if own is not None else other
                for own, other in zip(_values(self), _values(below), strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Number:
    """Which list a paragraph belongs to and how deep; `style` is the style that says so, "" for none."""

    list: str
    level: int | None
    style: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """One style with all that it inherits."""

    identifier: str = ""
    name: str = ""
    level: int = 0
    number: Number | None = None
    run: RunSetting = RunSetting()
    code: bool = False
    contents: bool = False
    list_depth: int = 0
    marks_first_row: bool = False


class Styles:
    """The styles of a document by their ids."""

    def __init__(self, root: Any | None) -> None:
        self._nodes: dict[str, Any] = {}
        self._found: dict[str, Style] = {}
        self._defaults: dict[str, str] = {}
        self._base = RunSetting()
        self._below: dict[tuple[str, str | None], RunSetting] = {}
        self.language = ""
        for node in root if root is not None else ():
            if kind(node) == "w:style":
                self._add(node)
            elif kind(node) == "w:docDefaults":
                self._read_defaults(node)

    def style(self, identifier: str, what: str = "paragraph") -> Style:
        """The style of an id; the default style of that kind for "" or an unknown id."""
        if identifier not in self._nodes:
            identifier = self._defaults.get(what, "")
        if identifier not in self._found:
            self._found[identifier] = self._resolved(identifier)
        return self._found[identifier]

    def of_paragraph(self, paragraph: Any) -> Style:
        """The style of a paragraph."""
        node = child(paragraph, "w:pPr", "w:pStyle")
        return self.style(value(node) if node is not None else "")

    def run(self, run: Any, paragraph: Style) -> RunSetting:
        """How a run in a paragraph of that style is set."""
        properties = child(run, "w:rPr")
        node = child(properties, "w:rStyle")
        key = paragraph.identifier, value(node) if node is not None else None
        if key not in self._below:
            self._below[key] = self._named(paragraph, key[1])
        return run_setting(properties).over(self._below[key]) if properties is not None else self._below[key]

    def _named(self, paragraph: Style, identifier: str | None) -> RunSetting:
        """What the styles of a run and of its paragraph say."""
        if identifier is None:
            return paragraph.run.over(self._base)
        named = self.style(identifier, "character").run
        below = named.over(paragraph.run).over(self._base)
        # A switch that both styles set is off: bold words of a bold paragraph are not bold.
        also = paragraph.run
        return replace(
            below,
            hidden=below.hidden and not (named.hidden and also.hidden),
            struck=below.struck and not (named.struck and also.struck),
            bold=below.bold and not (named.bold and also.bold),
        )

    def _add(self, node: Any) -> None:
        identifier = value(node, "styleId")
        self._nodes.setdefault(identifier, node)
        if value(node, "default").lower() in ("1", "true", "on"):
            self._defaults.setdefault(value(node, "type", "paragraph"), identifier)

    def _read_defaults(self, node: Any) -> None:
        properties = child(node, "w:rPrDefault", "w:rPr")
        if properties is not None:
            self._base = run_setting(properties)
            language = child(properties, "w:lang")
            self.language = value(language) if language is not None else ""

    def _chain(self, identifier: str) -> Iterator[tuple[str, Any]]:
        for _ in range(_MOST_STEPS):
            node = self._nodes.get(identifier)
            if node is None:
                return
            yield identifier, node
            based = child(node, "w:basedOn")
            identifier = value(based) if based is not None else ""

    def _resolved(self, identifier: str) -> Style:
        chain = list(self._chain(identifier))
        run = RunSetting()
        for _, node in chain:
            properties = child(node, "w:rPr")
            run = run.over(run_setting(properties)) if properties is not None else run
        names = [value(name) for _, node in chain if (name := child(node, "w:name")) is not None]
        return Style(
            identifier=identifier,
            name=names[0] if names else "",
            level=_level(chain),
            number=_number(chain),
            run=run,
            code=any(name.lower() in _CODE for name in names),
            contents=any(_CONTENTS.fullmatch(name) for name in names[:1]),
            list_depth=next((int(found[1]) - 1 for name in names if (found := _LIST.fullmatch(name))), 0),
            marks_first_row=any(_marks_first_row(node) for _, node in chain),
        )


def run_setting(properties: Any) -> RunSetting:
    """What a `w:rPr` says."""
    found: dict[str, Any] = {kind(node): node for node in properties}
    hidden = [is_on(found[name]) for name in ("w:vanish", "w:webHidden") if name in found]
    struck = [is_on(found[name]) for name in ("w:strike", "w:dstrike") if name in found]
    return RunSetting(
        hidden=True if _is_unseen(found) else (any(hidden) if hidden else None),
        struck=any(struck) if struck else None,
        bold=is_on(found["w:b"]) if "w:b" in found else None,
        raised=_raised(found),
        font=_font(found.get("w:rFonts")),
    )


def _values(setting: RunSetting) -> tuple[Any, ...]:
    return setting.hidden, setting.struck, setting.bold, setting.raised, setting.font


def _is_unseen(found: dict[str, Any]) -> bool:
    """Too small to be seen, or in the colour of its own ground."""
    if "w:sz" in found and whole(value(found["w:sz"]), _LEAST_SIZE + 1) <= _LEAST_SIZE:
        return True
    if "w:color" not in found or "w:shd" not in found:
        return False
    colour, ground = value(found["w:color"]).lower(), value(found["w:shd"], "fill").lower()
    return colour == ground and colour not in ("", "auto")


def _raised(found: dict[str, Any]) -> int | None:
    if "w:vertAlign" in found:
        return {"superscript": 1, "subscript": -1}.get(value(found["w:vertAlign"]), 0)
    if "w:position" in found:
        rise = whole(value(found["w:position"]), 0)
        return 0 if abs(rise) < _LEAST_RISE else (1 if rise > 0 else -1)
    return None


def _font(fonts: Any | None) -> str | None:
    if fonts is None:
        return None
    return value(fonts, "ascii") or value(fonts, "hAnsi") or None


def _level(chain: list[tuple[str, Any]]) -> int:
    """1 to 6 for a heading, 0 for another style."""
    for _, node in chain:
        outline = child(node, "w:pPr", "w:outlineLvl")
        if outline is not None:
            return heading_level(outline)
        name = child(node, "w:name")
        found = _HEADING.fullmatch(value(name).strip()) if name is not None else None
        if found:
            return min(int(found[1]), 6)
        if name is not None and value(name) == "Title":
            return 1
    return 0


def heading_level(outline: Any) -> int:
    """1 to 6 for a `w:outlineLvl`, 0 for body text."""
    level = whole(value(outline), 9)
    return min(level + 1, 6) if 0 <= level < 9 else 0


def _number(chain: list[tuple[str, Any]]) -> Number | None:
    level = None
    for identifier, node in chain:
        properties = child(node, "w:pPr", "w:numPr")
        if properties is None:
            continue
        depth, number = child(properties, "w:ilvl"), child(properties, "w:numId")
        if level is None and depth is not None:
            level = whole(value(depth), 0)
        if number is not None:
            return Number(value(number), level, identifier)
    return None


def _marks_first_row(style: Any) -> bool:
    """Whether a table's style sets its first row apart: in bold, on a ground, or as white text."""
    for node in style:
        if kind(node) == "w:tblStylePr" and value(node, "type") == "firstRow":
            run = child(node, "w:rPr")
            cell = child(node, "w:tcPr", "w:shd")
            return (run is not None and is_on(child(run, "w:b"))) or cell is not None
    return False
