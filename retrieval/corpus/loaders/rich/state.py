"""What holds within a group of an RTF file: how text is set, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from retrieval.corpus.loaders.web.inline import Style


class Target(Enum):
    """What becomes of the text of a group."""

    TEXT = auto()
    NOTHING = auto()
    PARTS = auto()  # nothing but of groups in it that are shown
    FONTS = auto()
    STYLES = auto()
    TITLE = auto()
    MARKER = auto()
    AUTHOR = auto()


@dataclass(slots=True)
class Format:
    """How a paragraph is set: its style, its level in the outline (0 for text), its list, and its table."""

    style: int = 0
    outline: int | None = None
    depth: int = 0
    in_table: bool = False
    nested: bool = False


@dataclass(slots=True)
class State:
    """What a group begins with is what the group around it has."""

    target: Target = Target.TEXT
    font: int = 0
    style: Style = Style.PLAIN
    hidden: bool = False
    skips: int = 1  # how many signs after \u stand for it in old programs
    paragraph: Format = field(default_factory=Format)

    def inner(self) -> State:
        """The state of a group in it."""
        return replace(self, paragraph=replace(self.paragraph))

    def plain(self) -> None:
        """Text is set as by default again."""
        self.style, self.hidden = Style.PLAIN, False

    def set(self, word: str, number: int | None) -> bool:
        """Takes a control word that says how text is set; whether it is one."""
        on = number is None or number != 0
        if word in _STYLES:
            wanted = _STYLES[word]
            self.style = (self.style | wanted) if on else (self.style & ~wanted)
        elif word in ("up", "dn"):
            raised = Style.RAISED if word == "up" else Style.LOWERED
            self.style &= ~(Style.RAISED | Style.LOWERED)
            self.style |= raised if number is None or number > 0 else Style.PLAIN
        elif word == "nosupersub":
            self.style &= ~(Style.RAISED | Style.LOWERED)
        elif word in ("v", "deleted", "htmlrtf"):
            self.hidden = on
        elif word == "plain":
            self.plain()
        else:
            return False
        return True

    def set_paragraph(self, word: str, number: int | None) -> bool:
        """Takes a control word that says how a paragraph is set; whether it is one."""
        if word == "pard":
            self.paragraph = Format()
        elif word == "s":
            self.paragraph.style = number or 0
        elif word == "outlinelevel":
            self.paragraph.outline = number
        elif word == "ilvl":
            self.paragraph.depth = max(0, min(number or 0, 8))
        elif word == "intbl":
            self.paragraph.in_table = True
        elif word == "itap":
            self.paragraph.nested = (number or 0) > 1
            self.paragraph.in_table = (number or 0) > 0
        else:
            return False
        return True


_STYLES = {
    "strike": Style.DELETED,
    "striked": Style.DELETED,
    "super": Style.RAISED,
    "sub": Style.LOWERED,
}
