"""Pages written as XML, whose elements may end at once (`<a/>`), as the chapters of books are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.entities import html5

from lxml import etree

from retrieval.corpus.blocks import Block
from retrieval.corpus.loaders.web.reader import PageReader, note_marks, read_page

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30};)")
_OWN = frozenset(["amp;", "lt;", "gt;", "quot;", "apos;"])
_PREAMBLE = re.compile(r"\s*<\?xml[^>]{0,500}\?>")
_OPS = "{http://www.idpf.org/2007/ops}type"
_HIDDEN = frozenset(["toc", "landmarks", "page-list"])
_FEED_CHARACTERS = 65_536


def read_xhtml(name: str, text: str) -> list[Block]:
    """All blocks of a page but its lists of links; one that is not well formed is read as HTML."""
    text = _ENTITY.sub(_named, _PREAMBLE.sub("", text, count=1))
    reader = PageReader(name, note_marks(text))
    parser = etree.XMLParser(
        target=_Elements(reader), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        for start in range(0, len(text), _FEED_CHARACTERS):
            parser.feed(text[start : start + _FEED_CHARACTERS])
        parser.close()
    except etree.XMLSyntaxError:
        return read_page(name, text, main_content=False).blocks
    reader.finish()
    return [one.block for one in reader.writer.placed]


class _Elements:
    """Gives elements to a reader of pages, by their names without namespaces."""

    def __init__(self, reader: PageReader) -> None:
        self._reader = reader
        self.data = reader.data

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        known = {name.rpartition("}")[2]: value for name, value in attributes.items() if name != _OPS}
        kinds = attributes.get(_OPS, "").split()
        local = tag.rpartition("}")[2].lower()
        if local == "nav" or not _HIDDEN.isdisjoint(kinds):
            known["hidden"] = ""
        for kind in ("noteref", "pagebreak"):
            if kind in kinds:
                known["role"] = f"doc-{kind}"
        self._reader.start(local, known)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._reader.end(tag.rpartition("}")[2].lower())

    def close(self) -> None:
        """The page ends."""


def _named(entity: re.Match[str]) -> str:
    return entity[0] if entity[1] in _OWN else html5.get(entity[1], entity[0])
