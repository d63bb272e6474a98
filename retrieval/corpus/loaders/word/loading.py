"""DOCX: headings, paragraphs, lists, tables, equations and notes as a reader of the document sees them."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.word.reader import read_document
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument


def load_word(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document. Its title is that of the file's properties, else its first heading of level 1.

    Tracked deletions and hidden text are left out; what is struck out is marked. Charts, diagrams, embedded
    objects and large pictures without a description are named in a remark.
    """
    try:
        reading = read_document(name, data, limits)
    except etree.XMLSyntaxError as error:
        raise UnreadableDocument(name, f"cannot be read as DOCX: {error.msg}") from error
    written = write(reading.blocks)
    if not written.text.strip() and reading.remarks:
        raise UnreadableDocument(name, f"holds no text: {'; '.join(one.text for one in reading.remarks)}")
    yield make_document(name, written, limits, title=reading.title, metadata={"source": name})
    yield from reading.remarks
