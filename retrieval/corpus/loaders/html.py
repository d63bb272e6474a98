"""HTML: the text that a reader sees, as headings, paragraphs, lists, tables and code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from lxml import etree

from retrieval.corpus.blocks import Heading
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded, is_text_encoding
from retrieval.corpus.cleaning.machine_text import MachineText, left_out
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.web import Page, read_page
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_CHARSET = re.compile(rb"<meta[^>]{0,500}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_LEFT_OUT = "\ufdd0"  # a character that no text has
_PREAMBLE = re.compile(r"\s*<\?xml[^>]{0,500}\?>")


def load_html(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of the visible text.

    Scripts, hidden elements, buttons and fields of forms are left out, and with `limits.main_content` menus,
    banners, footers and what else is not the page's own content. The title is the page's, else its first
    heading of level 1.
    """
    found = decoded(name, data, declared=declared_encoding(data))
    text = _PREAMBLE.sub("", clean(found.text), count=1).replace(_LEFT_OUT, "")
    text = MachineText().leave_out(text, sign=_LEFT_OUT)
    page = _page(name, text, limits)
    visible = 0
    if _LEFT_OUT in text:  # in most pages it is in scripts, which nobody reads
        visible = write(page.blocks).text.count(_LEFT_OUT)
        page = _page(name, text.replace(_LEFT_OUT, ""), limits)
    title = page.title or next(
        (block.text for block in page.blocks if isinstance(block, Heading) and block.level == 1), ""
    )
    yield make_document(name, write(page.blocks), limits, title=title, metadata={"source": name})
    yield from filter(None, [found.remark, left_out(name, visible)])


def _page(name: str, text: str, limits: LoadLimits) -> Page:
    try:
        return read_page(name, text, main_content=limits.main_content)
    except etree.LxmlError as error:
        raise UnreadableDocument(name, f"cannot be read as HTML: {error}") from error


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page names at its beginning, None if it names none that is known."""
    found = _XML.match(data[:400]) or _CHARSET.search(data[:4096])
    encoding = found[1].decode("ascii", "replace") if found else ""
    # What was readable as ASCII up to here is not UTF-16, whatever it says.
    known = is_text_encoding(encoding) and codecs.lookup(encoding).name
    return encoding if known and not known.startswith(("utf-16", "utf-32")) else None
