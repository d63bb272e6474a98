"""HTML: the text that a reader sees, as headings, paragraphs, lists, tables and code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from lxml import etree

from retrieval.corpus.blocks import Heading
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded, is_text_encoding
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.web import read_page
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

_CHARSET = re.compile(rb"<meta[^>]{0,500}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_PREAMBLE = re.compile(r"\s*<\?xml[^>]{0,500}\?>")


def load_html(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of the visible text.

    Scripts, hidden elements, buttons and fields of forms are left out, and with `limits.main_content` menus,
    banners, footers and what else is not the page's own content. The title is the page's, else its first
    heading of level 1.
    """
    found = decoded(name, data, declared=_declared_encoding(data))
    machine_text = MachineText()
    text = machine_text.leave_out(_PREAMBLE.sub("", clean(found.text), count=1))
    try:
        page = read_page(name, text, main_content=limits.main_content)
    except etree.LxmlError as error:
        raise UnreadableDocument(name, f"cannot be read as HTML: {error}") from error
    title = page.title or next(
        (block.text for block in page.blocks if isinstance(block, Heading) and block.level == 1), ""
    )
    yield make_document(name, write(page.blocks), limits, title=title, metadata={"source": name})
    yield from filter(None, [found.remark])


def _declared_encoding(data: bytes) -> str | None:
    found = _XML.match(data[:400]) or _CHARSET.search(data[:4096])
    encoding = found[1].decode("ascii", "replace") if found else ""
    # What was readable as ASCII up to here is not UTF-16, whatever it says.
    known = is_text_encoding(encoding) and codecs.lookup(encoding).name
    return encoding if known and not known.startswith(("utf-16", "utf-32")) else None
