"""Reads a page as a stream of tags, without a tree, so depth and size cost no more than the text."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from lxml import etree

from retrieval.corpus.blocks import Block
from retrieval.corpus.loaders.web.attributes import is_hidden, is_lowered, is_raised, is_struck, kind_of
from retrieval.corpus.loaders.web.elements import OPENINGS, Attributes, Closing
from retrieval.corpus.loaders.web.images import image_text
from retrieval.corpus.loaders.web.inline import Style
from retrieval.corpus.loaders.web.mathml import Formula, formula_text
from retrieval.corpus.loaders.web.regions import main_blocks
from retrieval.corpus.loaders.web.writing import BlockWriter

_FEED_CHARACTERS = 65_536


def _tags(line: str) -> frozenset[str]:
    return frozenset(line.split())


_UNSEEN = _tags(
    "script style noscript template svg iframe object canvas audio video select datalist button textarea "
    "progress meter rt rp head"
)
_IN_HEAD = _tags("title base basefont bgsound link meta script style noscript template head")
# They have no end tag, so nothing can stand in them.
_VOID = _tags("area base br col embed hr img input link meta param source track wbr")
_BREAKS = _tags(
    "address article aside blockquote body center details dialog div fieldset figcaption figure footer form "
    "header html legend main nav p section summary option hr tbody"
)
_STYLES = {
    "del": Style.DELETED,
    "s": Style.DELETED,
    "strike": Style.DELETED,
    "sup": Style.RAISED,
    "sub": Style.LOWERED,
    "a": Style.LINKED,
}
_NOTE_LINK = re.compile(r"(?:^|[\s_-])(?:footnote|noteref|fnref|reference)", re.IGNORECASE)
_ANCHOR_CLASS = re.compile(
    r"headerlink|anchor|permalink|heading-link|hash-link|editsection|back-?ref", re.IGNORECASE
)
_ANCHOR_SIGNS = frozenset(["¶", "#", "§", "🔗", "↩", "↩︎", "↑", "^", "⏎"])
_SIGNS = _tags("img input i svg span abbr")
_GUTTERS = _tags("td th pre div span code")
_GUTTER = re.compile(r"(?:^|\s)(?:linenos?|line-?numbers?|gutter|blob-num|rouge-gutter)(?:\s|$)")
_EQUATION_CLASS = re.compile(r"math|tex\b|latex|equation", re.IGNORECASE)
_DISPLAY_STYLE = re.compile(r"\{\\displaystyle\s*(.*)\}", re.DOTALL)
# Marks that open a note: `<p><sup>2</sup> Without tax.</p>`.
_NOTES = re.compile(
    r"<(?:p|li|td|th|div|dd|small|aside|footer|br)\b[^<>]{0,300}>\s*(?:<(?:a|small|span|i|em)\b[^<>]{0,300}>\s*){0,4}"
    r"<sup\b[^<>]{0,300}>\s*(?:<a\b[^<>]{0,300}>)?[\[(]?\s*(\d{1,2}|[a-z*†‡])\s*[\])]?(?:</a>)?\s*</sup>"
    r"(?:\s*</(?:a|span|small)>)*(?:\s|[^\W\d_]{3})"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page's title, "" if it has none, and its blocks."""

    title: str
    blocks: list[Block]


def read_page(name: str, text: str, *, main_content: bool = True) -> Page:
    """The page in HTML, with `main_content` without menus, banners and footers. `name` is for errors."""
    reader = _read(name, text)
    if main_content:
        blocks = main_blocks(reader.writer.placed, reader.writer.regions)
    else:
        blocks = [one.block for one in reader.writer.placed]
    return Page(" ".join("".join(reader.title).split()), blocks)


def read_fragment(name: str, text: str) -> list[Block]:
    """The blocks of a piece of HTML that stands in another text."""
    return [one.block for one in _read(name, text).writer.placed]


def note_marks(text: str) -> frozenset[str]:
    """The raised marks that begin notes of a page."""
    return frozenset(_NOTES.findall(text))


def _read(name: str, text: str) -> PageReader:
    reader = PageReader(name, note_marks(text))
    if text.strip():
        # Within libxml2's limits on depth and length, without network.
        parser = etree.HTMLParser(target=reader, encoding="utf-8", no_network=True, huge_tree=False)
        for start in range(0, len(text), _FEED_CHARACTERS):
            parser.feed(text[start : start + _FEED_CHARACTERS].encode())
        parser.close()
    reader.finish()
    return reader


@dataclass(slots=True)
class _Element:
    """An open element, how its text is set, and what is done where it ends."""

    tag: str
    style: Style
    closings: list[Closing] = field(default_factory=list)


class PageReader:
    """Takes the parser's events: what is seen, how it is set, and where in the page it is."""

    def __init__(self, name: str, notes: Collection[str]) -> None:
        self.writer = BlockWriter(name, notes)
        self.title: list[str] = []
        self._open: list[_Element] = []
        # How deep in something that is not shown.
        self._unseen = 0
        self._in_head = False
        self._in_title = False
        self._formulas: list[Formula] = []
        self._links = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        if self._in_head and self._unseen == 1 and tag not in _IN_HEAD:
            # A head without end tag, which the parser ends only for older elements than <main> or <nav>.
            self._unseen = 0
        self._in_head = tag == "head" or (self._in_head and self._unseen > 0)
        self._sign(tag, attributes)
        if tag in _VOID:
            self._void(tag, attributes)
        elif self._unseen or _is_unseen(tag, attributes):
            self._unseen += 1
            self._in_title = tag == "title" and not self.title
        else:
            self._start_seen(tag, attributes)

    def _sign(self, tag: str, attributes: Attributes) -> None:
        """Notes what a sign in a table's cell says, for a cell without words: an image, an icon, a box."""
        if not self.writer.cells or self._unseen or tag not in _SIGNS or not self.writer.tables:
            return
        if tag == "input" and attributes.get("type", "").lower() == "checkbox":
            words = "☑" if "checked" in attributes else "☐"
        else:
            words = (
                attributes.get("alt", "") or attributes.get("aria-label", "") or attributes.get("title", "")
            )
        self.writer.tables[-1].take_sign(words)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag in _VOID or (tag == "head" and not self._unseen):
            return
        if self._unseen:
            self._unseen -= 1
            self._in_title = False
            return
        while self._open and self._close_innermost() != tag:
            continue

    def data(self, text: str) -> None:
        """Text, in pieces."""
        if self._in_title:
            self.title.append(text)
        elif self._unseen or (self._links and text.strip() in _ANCHOR_SIGNS):
            return
        elif self._formulas:
            self._formulas[-1].words += text
        elif self.writer.code is not None:
            self.writer.code.append(text)
        else:
            self.writer.inline.write(text, self._style())

    def comment(self, text: str) -> None:
        """Comments are not shown."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Processing instructions are not shown."""

    def close(self) -> None:
        """The parser asks for a result; it is in `writer`."""

    def finish(self) -> None:
        """Ends all that is open."""
        while self._open:
            self._close_innermost()
        self.writer.end_block()

    def _style(self) -> Style:
        return self._open[-1].style if self._open else Style.PLAIN

    def _start_seen(self, tag: str, attributes: Attributes) -> None:
        element = _Element(tag, self._style() | _own_style(tag, attributes))
        self._open.append(element)
        if self._formulas or tag == "math":
            element.closings.append(self._open_formula(element, attributes))
            return
        kind = kind_of(tag, attributes) if tag not in ("html", "body") else None
        if kind is not None:
            region = self.writer.enter(kind)
            element.closings.append(lambda writer: writer.leave(region))
        if opening := OPENINGS.get(tag):
            element.closings.extend(filter(None, [opening(self.writer, tag, attributes)]))
        elif tag in _BREAKS:
            self.writer.end_block()
            element.closings.append(BlockWriter.end_block)
        elif tag == "a":
            self._links += 1
            element.closings.append(self._close_link)
        elif tag == "q":
            self.writer.inline.write('"', element.style)
            element.closings.append(lambda writer: writer.inline.write('"', element.style))

    def _close_innermost(self) -> str:
        element = self._open.pop()
        for closing in reversed(element.closings):
            closing(self.writer)
        return element.tag

    def _close_link(self, writer: BlockWriter) -> None:
        self._links -= 1

    def _void(self, tag: str, attributes: Attributes) -> None:
        if self._unseen:
            return
        if tag == "br" and self.writer.code is not None:
            self.writer.code.append("\n")
        elif tag == "br":
            self.writer.inline.break_line()
        elif tag == "hr":
            self.writer.end_block()
        elif tag == "img" and not is_hidden(tag, attributes):
            self.writer.inline.write(_image_text(attributes), self._style())

    def _open_formula(self, element: _Element, attributes: Attributes) -> Closing:
        formula = Formula(element.tag)
        if self._formulas:
            self._formulas[-1].parts.append(formula)
        self._formulas.append(formula)
        alternative = attributes.get("alttext", "")

        def close(writer: BlockWriter) -> None:
            self._formulas.pop()
            if not self._formulas:
                writer.inline.write(formula_text(formula, alternative=alternative), element.style)

        return close


def _is_unseen(tag: str, attributes: Attributes) -> bool:
    if tag in _UNSEEN:
        # MathJax keeps the source of an equation in a script.
        return not (tag == "script" and attributes.get("type", "").startswith("math/tex"))
    if tag in ("html", "body") or not attributes:
        return tag == "dialog"
    names = attributes.get("class", "")
    if names and (
        (tag in _GUTTERS and _GUTTER.search(names)) or (tag == "a" and _ANCHOR_CLASS.search(names))
    ):
        return True
    return attributes.get("role", "").lower() in ("button", "doc-pagebreak") or is_hidden(tag, attributes)


def _own_style(tag: str, attributes: Attributes) -> Style:
    style = _STYLES.get(tag, Style.PLAIN)
    if "style" in attributes and tag not in ("td", "th", "img"):
        style |= Style.RAISED if is_raised(attributes) else Style.PLAIN
        style |= Style.LOWERED if is_lowered(attributes) else Style.PLAIN
    if "style" in attributes and is_struck(attributes):
        style |= Style.DELETED
    if tag == "a" and (
        attributes.get("role") == "doc-noteref" or _NOTE_LINK.search(attributes.get("class", ""))
    ):
        style |= Style.RAISED
    return style


def _image_text(attributes: Attributes) -> str:
    words = " ".join(attributes.get("alt", "").split())
    if words and _EQUATION_CLASS.search(attributes.get("class", "")):
        shown = _DISPLAY_STYLE.fullmatch(words)
        return f" {shown[1].strip() if shown else words} "
    shown_words = image_text(words)
    return f" {shown_words} " if shown_words else ""
