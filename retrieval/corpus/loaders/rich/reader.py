"""Reads the pieces of an RTF file, and makes blocks of what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from retrieval.corpus.blocks import Block, Note
from retrieval.corpus.loaders.rich.fonts import Font, Fonts
from retrieval.corpus.loaders.rich.state import Format, State, Target
from retrieval.corpus.loaders.rich.story import Story
from retrieval.corpus.loaders.rich.tokens import Kind, Piece, pieces
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.loaders.web.inline import Style
from retrieval.corpus.loaders.web.lists import counted
from retrieval.corpus.loaders.word.symbols import in_font
from retrieval.errors import UnreadableDocument

_DEEPEST = 2000
_SIGNS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ",
    "~": "\u00a0", "_": "-", "-": "", "zwj": "\u200d", "zwnj": "\u200c",
    "{": "{", "}": "}", "\\": "\\",
}  # fmt: skip
_TARGETS = {
    "fonttbl": Target.FONTS, "stylesheet": Target.STYLES, "title": Target.TITLE, "listtext": Target.MARKER,
    "pntext": Target.MARKER, "atnauthor": Target.AUTHOR, "info": Target.PARTS, "shpinst": Target.PARTS,
    "upr": Target.PARTS,
}  # fmt: skip
_UNSEEN = frozenset(
    [
        *("colortbl", "pict", "nonshppict", "objdata", "objclass", "objname", "fldinst", "xe", "tc"),
        *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "sp", "pn"),
        *("ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "shprslt", "txe", "rxe", "mmath"),
        *("nonesttables", "author", "subject", "keywords", "doccomm", "operator", "company", "category"),
    ]
)
_HEADING = re.compile(r"(?:\d+ )?heading ([1-9])|(?:Über|Titre|Título|Titolo|Kop)\S* ([1-9])", re.IGNORECASE)
_NUMBERED = re.compile(r".*\d.*|.*\w[.)\]:]|.*\w{2}.*")
_OWN_MARK = re.compile(r"[\[(]?(\d{1,3}|[*†‡§¶#]{1,4}|[a-z])[\])]?")
_CITED = Style.RAISED | Style.LINKED


@dataclass(slots=True)
class _Open:
    """A story that is open, the group in which it began, and what kind it is."""

    story: Story
    group: int
    kind: str


@dataclass(slots=True)
class RichText:
    """What was read. `formulas` counts those that were left out."""

    blocks: list[Block] = field(default_factory=list)
    title: str = ""
    formulas: int = 0


def read_rtf(name: str, data: bytes) -> RichText:
    """The text that is shown; `name` is the file's, for errors. Raises UnreadableDocument."""
    reader = _Reader(name)
    for piece in pieces(data):
        reader.take(piece)
    return reader.finish()


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._found = RichText()
        self._fonts = Fonts()
        self._font = Font()
        self._levels: dict[int, int] = {}
        self._states = [State()]
        self._stories = [_Open(Story(name), 0, "body")]
        self._bytes = bytearray()
        self._words = ""  # text of what is no body: a font's name, a title, a marker
        self._skip = 0
        self._half = ""  # the first half of a character that is written in two
        self._starred = False
        self._opened = False
        self._notes = {"footnote": 0, "endnote": 0}
        self._is_endnote = False
        self._marked = False
        self._author = ""

    @property
    def _state(self) -> State:
        return self._states[-1]

    @property
    def _story(self) -> Story:
        return self._stories[-1].story

    def take(self, piece: Piece) -> None:
        """The next piece."""
        if piece.kind is Kind.TEXT:
            self._take_text(piece.data)
            return
        if piece.kind is Kind.WORD and self._skip and piece.name not in ("u", "par", "cell", "row"):
            self._skip -= 1
            return
        self._flush()
        if piece.kind is Kind.OPEN:
            self._open()
        elif piece.kind is Kind.CLOSE:
            self._close()
        else:
            self._word(piece.name, piece.number)
            self._opened = self._opened and piece.name == "*"

    def finish(self) -> RichText:
        """All groups end."""
        self._flush()
        while len(self._stories) > 1:
            self._end_story()
        found = self._found
        found.blocks = self._story.finish(self._state.paragraph, self._level())
        found.title = " ".join(found.title.split())
        return found

    def _take_text(self, data: bytes) -> None:
        self._opened = False
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._bytes += data[skipped:]

    def _flush(self) -> None:
        """The bytes so far are text; bytes of one character may stand in several pieces."""
        if self._bytes:
            data, self._bytes = bytes(self._bytes), bytearray()
            if self._state.target not in (Target.NOTHING, Target.PARTS):
                self._write(self._fonts.decoded(data, self._state.font))

    def _write(self, text: str) -> None:
        state = self._state
        if state.hidden or state.target in (Target.NOTHING, Target.PARTS):
            return
        text = in_font(text, self._fonts.name(state.font))
        if state.target is Target.TEXT:
            self._story.line.write(text, state.style)
        else:
            self._words += text
            self._end_entry(ends=";" in text)

    def _end_entry(self, *, ends: bool) -> None:
        """An entry of a list of fonts or styles ends with a semicolon."""
        if not ends or self._state.target not in (Target.FONTS, Target.STYLES):
            return
        words, self._words = self._words.partition(";")[0].strip(), ""
        if self._state.target is Target.FONTS:
            self._font.name = words
        elif found := _HEADING.match(words):
            self._levels.setdefault(self._state.paragraph.style, int(found[1] or found[2]))
        elif words.lower() == "title":
            self._levels.setdefault(self._state.paragraph.style, 1)

    def _open(self) -> None:
        if len(self._states) > _DEEPEST:
            raise UnreadableDocument(self._name, "has groups that are nested too deeply")
        self._skip = 0
        self._states.append(self._state.inner())
        self._opened, self._starred = True, False

    def _close(self) -> None:
        self._skip = 0
        if len(self._states) == 1:
            return
        if self._stories[-1].group == len(self._states) and len(self._stories) > 1:
            self._end_story()
        state = self._states.pop()
        if state.target is self._state.target:
            return
        words, self._words = self._words, ""
        if state.target is Target.TITLE:
            self._found.title = words
        elif state.target is Target.AUTHOR:
            self._author = words.strip()
        elif state.target is Target.MARKER and not state.hidden:
            self._story.marker = _marker(words)

    def _word(self, name: str, number: int | None) -> None:
        if name == "*":
            self._starred = self._opened
            return
        if self._opened and self._destination(name):
            return
        if self._starred and self._opened:
            self._state.target = Target.NOTHING
        self._starred = False
        state = self._state
        if name in ("u", "uc", "f"):
            self._character(name, number)
        elif state.target is Target.FONTS:
            self._fonts.describe(self._font, name, number)
        elif state.target is Target.STYLES:
            state.set_paragraph(name, number)
            if name == "outlinelevel" and number is not None and number < 9:
                self._levels[state.paragraph.style] = number + 1
        elif self._fonts.declare(name, number) or state.set(name, number) or state.target is Target.NOTHING:
            return
        elif name in _SIGNS:
            self._sign(_SIGNS[name])
        elif state.target is Target.TEXT and not state.set_paragraph(name, number):
            self._layout(name, number)

    def _character(self, name: str, number: int | None) -> None:
        state = self._state
        if name == "uc":
            state.skips = max(0, min(number or 0, 50))
        elif name == "f":
            state.font = number or 0
            if state.target is Target.FONTS:
                self._font = self._fonts.fonts.setdefault(state.font, Font())
        else:
            self._skip = state.skips
            half, sign = self._half, chr((number or 0) & 0xFFFF)
            self._half = sign if "\ud800" <= sign < "\udc00" else ""
            if not self._half:
                self._write((half + sign).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _sign(self, sign: str) -> None:
        if sign == "\n" and self._state.target is Target.TEXT and not self._state.hidden:
            self._story.line.break_line()
        else:
            self._write(sign)

    def _destination(self, name: str) -> bool:
        """A group begins that is not text like any other; whether it is such a group."""
        state = self._state
        if state.target is Target.NOTHING:
            return False
        if name in ("footnote", "annotation", "shptxt"):
            self._begin_story(name)
        elif name in _TARGETS:
            state.target = _TARGETS[name]
            self._words = ""
        elif name == "ud":
            state.target = self._states[-3].target if len(self._states) > 2 else Target.TEXT
        elif name in _UNSEEN:
            state.target = Target.NOTHING
            self._found.formulas += name == "mmath"
        elif name == "nesttableprops":
            state.target = Target.NOTHING
            self._story.line.write("; ", Style.PLAIN)
        else:
            return False
        self._starred = False
        return True

    def _begin_story(self, kind: str) -> None:
        state = self._state
        state.target = Target.NOTHING if state.hidden else Target.TEXT
        state.plain()
        state.paragraph = Format()
        self._is_endnote = False
        self._stories.append(_Open(Story(self._name), len(self._states), kind))

    def _end_story(self) -> None:
        ended = self._stories.pop()
        blocks = ended.story.finish(self._state.paragraph, self._level())
        text = cell_text(blocks)
        if ended.kind == "shptxt":
            for block in blocks:
                self._story.hang(block)
        elif ended.kind == "annotation":
            author, self._author = self._author, ""
            if text:
                self._story.hang(Note(f"comment by {author}" if author else "comment", text))
        else:
            self._end_note(text)

    def _end_note(self, text: str) -> None:
        """A note is read: its mark is written where it hangs."""
        marked, self._marked = self._marked, False
        if not text:
            return
        mark = "note"
        if marked:
            kind = "endnote" if self._is_endnote else "footnote"
            self._notes[kind] += 1
            mark = counted(self._notes[kind], "i" if self._is_endnote else "1")
            self._story.line.write(mark, _CITED)
        elif (first := text.partition(" "))[2] and (own := _OWN_MARK.fullmatch(first[0])):
            # A mark of the writer's own stands before the note already.
            mark, text = own[1], first[2]
        self._story.hang(Note(mark, text))

    def _layout(self, name: str, number: int | None) -> None:
        story, form = self._story, self._state.paragraph
        if name in ("par", "sect", "page", "\n", "\r"):
            story.end_paragraph(form, self._level())
        elif name == "cell":
            story.end_cell(form, self._level())
        elif name == "row":
            story.end_row()
        elif name == "trowd":
            story.begin_row()
        elif name == "nestcell":
            story.line.write(" | ", Style.PLAIN)
        elif name == "chftn":
            self._marked |= self._stories[-1].kind != "footnote"
        elif name == "ftnalt":
            self._is_endnote = True
        else:
            story.define(name, number)

    def _level(self) -> int:
        form = self._state.paragraph
        level = form.outline + 1 if form.outline is not None else self._levels.get(form.style, 0)
        return level if level <= 6 else 6 if level <= 9 else 0


def _marker(words: str) -> str:
    """The marker of a list item: its number, or `-` for any sign."""
    words = words.strip()
    return words if _NUMBERED.fullmatch(words) else "-"
