"""EPUB: the chapters of a book in reading order, read as web pages are."""

from __future__ import annotations

from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from retrieval.corpus.archive import open_archive
from retrieval.corpus.blocks import Block, Heading
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.book.contents import Book, book_of
from retrieval.corpus.loaders.html import declared_encoding
from retrieval.corpus.loaders.web import read_xhtml
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document, Metadata, Scalar
from retrieval.errors import UnreadableDocument

_MOST_NAMED = 5


def load_book(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of all chapters; its authors and language are in the metadata.

    A chapter without a heading has that of its entry in the table of contents. Cover, table of contents and
    pictures are left out. Raises UnreadableDocument for a book that is protected against copying.
    """
    with open_archive(name, data, limits) as archive:
        book = book_of(name, archive)
        blocks, lost = _blocks(name, archive, book)
    if not blocks and lost:
        raise UnreadableDocument(name, "is damaged: none of its chapters can be read")
    yield make_document(name, write(blocks), limits, title=book.title, metadata=_metadata(name, book))
    if lost:
        shown = ", ".join(lost[:_MOST_NAMED]) + (" and others" if len(lost) > _MOST_NAMED else "")
        yield Remark(name, f"chapters that cannot be read were left out: {shown}", whole=False)


def _metadata(name: str, book: Book) -> Metadata:
    fields: dict[str, Scalar | list[Scalar]] = {"source": name}
    if book.authors:
        fields["author"] = book.authors[0] if len(book.authors) == 1 else [*book.authors]
    if book.language:
        fields["language"] = book.language
    return fields


def _blocks(name: str, archive: ZipFile, book: Book) -> tuple[list[Block], list[str]]:
    blocks: list[Block] = []
    lost: list[str] = []
    names = set(archive.namelist())
    for member in book.chapters:
        try:
            chapter = _chapter(name, archive.read(member)) if member in names else None
        except (UnreadableDocument, etree.LxmlError):
            chapter = None
        if chapter is None:
            lost.append(member)
            continue
        entry = book.entries.get(member)
        if entry is not None and chapter and not any(isinstance(block, Heading) for block in chapter):
            blocks.append(Heading(entry.words, entry.level))
        blocks += chapter
    return blocks, lost


def _chapter(name: str, data: bytes) -> list[Block]:
    found = decoded(name, data, declared=declared_encoding(data))
    return read_xhtml(name, clean(found.text))
