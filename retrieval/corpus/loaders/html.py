"""HTML: the visible text, with headings, lists, tables and paragraphs as lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from retrieval.corpus.block_text import Blocks
from retrieval.corpus.characters import clean
from retrieval.corpus.headings import find_headings
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import decode, is_text_encoding, make_document
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

_CHARSET = re.compile(rb"<meta[^>]{0,500}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def _tags(line: str) -> frozenset[str]:
    return frozenset(line.split())


_HIDDEN = _tags(
    "script style nav noscript template svg math iframe object canvas audio video select datalist"
)
# They have no end tag, so nothing can be hidden in them.
_VOID = _tags("area base br col embed hr img input link meta param source track wbr")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPHS = _tags(
    "address article aside blockquote body caption center details dialog div dl fieldset figcaption figure "
    "footer form header hr html main p section summary table"
)
_LINES = _tags("br dd dt menu ol tbody tfoot thead ul")
_CELLS = _tags("td th")
_FEED_CHARACTERS = 65_536


def load_html(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document]:
    """One document of the visible text. Headings are `#` lines, list items `-` lines, cells parted by `|`.

    Scripts, styles, navigation and hidden elements are left out. The title is the page's, else its
    first heading of level 1. The page is read as a stream of tags, without a tree, so depth and size
    cost no more than the text.
    """
    text = clean(decode(name, data, declared=_declared_encoding(data)))
    reader = _Reader()
    try:
        _parse(text, reader)
    except etree.LxmlError as error:
        raise UnreadableDocument(name, f"cannot be read as HTML: {error}") from error
    body = reader.blocks.text()
    title = "".join(reader.title) or next((h.title for h in find_headings(body) if h.level == 1), "")
    yield make_document(name, body, limits, title=title, metadata={"source": name})


def _parse(text: str, reader: _Reader) -> None:
    if not text.strip():
        return
    # Within libxml2's limits on depth and length, without network.
    parser = etree.HTMLParser(target=reader, encoding="utf-8", no_network=True, huge_tree=False)
    for start in range(0, len(text), _FEED_CHARACTERS):
        parser.feed(text[start : start + _FEED_CHARACTERS].encode())
    parser.close()


def _declared_encoding(data: bytes) -> str | None:
    found = _CHARSET.search(data[:4096])
    encoding = found[1].decode("ascii", "replace") if found else ""
    # What was readable as ASCII up to here is not UTF-16, whatever it says; and browsers take Latin-1 for
    # Windows-1252, as `decode` does.
    known = is_text_encoding(encoding) and codecs.lookup(encoding).name
    return (
        encoding
        if known and known not in ("iso8859-1", "ascii") and not known.startswith(("utf-16", "utf-32"))
        else None
    )


class _Reader:
    """Takes the parser's events: keeps text, the title, and how deep it is in something hidden."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.title: list[str] = []
        self._hidden = 0
        self._in_title = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._hidden or tag in _HIDDEN or (tag not in ("html", "body") and _is_hidden(attributes)):
            self._hidden += tag not in _VOID
        elif tag == "title":
            self._in_title = not self.title
        elif tag in _HEADINGS:
            self.blocks.open_heading(_HEADINGS[tag])
        elif tag == "pre":
            self.blocks.open_code()
        elif tag == "li":
            self.blocks.item()
        elif tag == "tr":
            self.blocks.row()
        elif tag in _CELLS:
            self.blocks.cell()
        else:
            self._break(tag)

    def end(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= tag not in _VOID
        elif tag == "title":
            self._in_title = False
        elif tag in _HEADINGS:
            self.blocks.close()
        elif tag == "pre":
            self.blocks.close_code()
        elif tag in ("li", "tr"):
            self.blocks.close(gap="\n")
        elif tag != "br":
            self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.blocks.paragraph()
        elif tag in _LINES:
            self.blocks.line()

    def data(self, text: str) -> None:
        if self._hidden:
            return
        if self._in_title:
            self.title.append(text)
        else:
            self.blocks.write(text)

    def comment(self, text: str) -> None:
        """Comments are not shown."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Processing instructions are not shown."""

    def close(self) -> None:
        """The parser asks for a result; it is in `blocks`."""


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden", "").lower() == "true"
        or attributes.get("role", "").lower() == "navigation"
        or _HIDING_STYLE.search(attributes.get("style", "")) is not None
    )
