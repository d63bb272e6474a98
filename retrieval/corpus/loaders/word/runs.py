"""What a paragraph of a Word document shows, as one line of text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from retrieval.corpus.loaders.web.inline import Inline, Style
from retrieval.corpus.loaders.word.drawings import read_drawing
from retrieval.corpus.loaders.word.equations import equation_text
from retrieval.corpus.loaders.word.fields import OpenFields, form_value
from retrieval.corpus.loaders.word.markup import kind, seen, value
from retrieval.corpus.loaders.word.omissions import Omissions
from retrieval.corpus.loaders.word.styles import RunSetting, Styles
from retrieval.corpus.loaders.word.styles import Style as NamedStyle
from retrieval.corpus.loaders.word.symbols import in_font, symbol

_REFERENCES = frozenset(["w:footnoteReference", "w:endnoteReference", "w:commentReference"])
_DRAWINGS = frozenset(["w:drawing", "w:pict", "w:object"])
_SIGNS = {"w:tab": "\t", "w:ptab": "\t", "w:noBreakHyphen": "-"}
_MARK = re.compile(r"[\[(]?\s*(\d{1,2}|[a-z*†‡§])\s*[\])]?")
# The mark of a note that the text refers to, "" if there is no such note; the second is one of its own.
Refer = Callable[[Any, str], str]


class Runs:
    """Reads paragraphs of one document in order: fields may begin in one and end in another.

    `boxes` are the contents of text boxes that were met, for the caller to take.
    """

    def __init__(self, styles: Styles, omissions: Omissions, refer: Refer) -> None:
        self._styles = styles
        self._omissions = omissions
        self._refer = refer
        self._fields = OpenFields()
        self.boxes: list[Any] = []

    def write(self, paragraph: Any, inline: Inline, *, code: bool = False) -> None:
        """Adds what the paragraph shows to `inline`; with `code` its spaces are kept."""
        named = self._styles.of_paragraph(paragraph)
        stack = [(node, Style.PLAIN) for node in reversed(seen(paragraph))]
        while stack:
            node, style = stack.pop()
            name = kind(node)
            if name == "w:r":
                self._write_run(node, named, style, inline, code=code)
            elif name in ("m:oMath", "m:oMathPara"):
                if not self._fields.hide:
                    inline.write(f" {equation_text(node)} ", style)
            elif name == "w:txbxContent":
                self.boxes.append(node)
            else:
                if name == "w:hyperlink" and value(node, "anchor"):
                    style |= Style.LINKED
                stack.extend((one, style) for one in reversed(seen(node)))

    def _write_run(self, run: Any, named: NamedStyle, style: Style, inline: Inline, *, code: bool) -> None:
        setting = self._styles.run(run, named)
        style |= _style(setting)
        stack = seen(run)[::-1]
        while stack:
            node = stack.pop()
            name = kind(node)
            if name == "w:fldChar":
                shown = not (setting.hidden or self._fields.hide) and form_value(node)
                inline.write(shown or "", style)
                self._fields.mark(node)
            elif setting.hidden or self._fields.hide:
                continue
            elif name == "w:t":
                text = in_font(node.text or "", setting.font or "")
                # The space after a raised word is none of its signs.
                words = text.rstrip() if style & (Style.RAISED | Style.LOWERED) else text
                inline.write(words, style, keep_spaces=code)
                inline.write(text[len(words) :], style & Style.DELETED, keep_spaces=code)
            elif name in _SIGNS:
                inline.write(_SIGNS[name], style, keep_spaces=code)
            elif name in ("w:br", "w:cr"):
                inline.break_line()
            elif name == "w:sym":
                inline.write(self._symbol(node), style)
            elif name in _REFERENCES:
                stack = self._write_reference(node, stack, style, inline)
            elif name in _DRAWINGS:
                self._write_drawing(node, style, inline)
            else:
                stack.extend(reversed(seen(node)))

    def _symbol(self, node: Any) -> str:
        try:
            sign = symbol(value(node, "font"), int(value(node, "char"), 16))
        except ValueError:
            sign = "\ufffd"
        if sign == "\ufffd":
            self._omissions.add("sign | of a symbol font")
        return sign

    def _write_reference(self, node: Any, rest: list[Any], style: Style, inline: Inline) -> list[Any]:
        """Writes a note's mark; what is left of the run."""
        own = ""
        if value(node, "customMarkFollows").lower() in ("1", "true", "on"):
            signs = [one.text or "" if kind(one) == "w:t" else self._symbol(one) for one in reversed(rest)
                     if kind(one) in ("w:t", "w:sym")]  # fmt: skip
            own = "".join(signs).strip(" []()")
            rest = []
        mark = self._refer(node, own) or own
        if mark:
            inline.write(f" [{mark}]", style & Style.DELETED)
        return rest

    def _write_drawing(self, node: Any, style: Style, inline: Inline) -> None:
        drawing = read_drawing(node, self._omissions)
        inline.write(drawing.words, style & Style.DELETED)
        self.boxes.extend(drawing.boxes)

    def opening_mark(self, paragraph: Any) -> str:
        """The raised sign that a paragraph begins with, as the note that someone wrote by hand; else ""."""
        named = self._styles.of_paragraph(paragraph)
        first = next((one for one in seen(paragraph) if kind(one) == "w:r" and _words(one).strip()), None)
        if first is None or self._styles.run(first, named).raised != 1:
            return ""
        found = _MARK.fullmatch(_words(first).strip())
        return found[1] if found else ""


def _words(run: Any) -> str:
    return "".join(one.text or "" for one in seen(run) if kind(one) == "w:t")


def _style(setting: RunSetting) -> Style:
    style = Style.DELETED if setting.struck else Style.PLAIN
    if setting.raised:
        style |= Style.RAISED if setting.raised > 0 else Style.LOWERED
    return style
