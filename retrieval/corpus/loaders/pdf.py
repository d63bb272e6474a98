"""PDF: the text layer, page after page, in reading order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pypdfium2

from retrieval.corpus.blocks import Block, PageStart, Paragraph, Table
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.places import page_read
from retrieval.corpus.loaders.printed.columns import Row
from retrieval.corpus.loaders.printed.form import field_values
from retrieval.corpus.loaders.printed.lines import folded, rows_of
from retrieval.corpus.loaders.printed.opened import PDFIUM, characters, is_cut, opened
from retrieval.corpus.loaders.printed.reading import blocks
from retrieval.corpus.loaders.printed.running import without_running
from retrieval.corpus.loaders.printed.style import Style
from retrieval.corpus.remarks import Remark, listed
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_JUNK_TITLES = ("microsoft word", "microsoft powerpoint", "untitled", "powerpoint presentation")


@dataclass(slots=True)
class _Pages:
    """What was read: rows by page, or text where position does not give the order, by page number."""

    title: str = ""
    count: int = 0
    rows: list[list[Row]] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    fields: dict[int, list[str]] = field(default_factory=dict)
    asides: dict[int, str] = field(default_factory=dict)
    empty: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def load_pdf(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document with a mark for each page; `pages` is in the metadata.

    A page of pictures has no text and nothing is recognised: such pages are named in a remark, as are those
    that are damaged, and a file without its end.
    """
    with PDFIUM, opened(name, data) as document:
        pages = _read(name, document, limits)
    if len(pages.empty) + len(pages.broken) == pages.count:
        damaged = "is damaged: no page with text is left"
        without = "has no text layer; recognise its text (OCR) first"
        why = damaged if pages.broken or is_cut(data) else without
        raise UnreadableDocument(name, why)
    yield make_document(
        name,
        write(_numbered(_blocks(pages))),
        limits,
        title=pages.title,
        metadata={"source": name, "pages": pages.count},
    )
    yield from _remarks(name, data, pages)


def _read(name: str, document: pypdfium2.PdfDocument, limits: LoadLimits) -> _Pages:
    document.init_forms()
    count = len(document)
    if count > limits.max_pages:
        raise UnreadableDocument(name, f"has {count} pages; at most {limits.max_pages} are read. Split it.")
    pages = _Pages(_title(document), count)
    start = time.thread_time()
    total = 0
    for number in range(1, count + 1):
        total += _read_page(document, number, pages)
        page_read(number, count)
        if total > limits.max_characters:
            raise UnreadableDocument(name, f"has more than {limits.max_characters} characters; split it")
        if time.thread_time() - start > limits.max_pdf_seconds:
            seconds = f"{limits.max_pdf_seconds:.0f}"
            raise UnreadableDocument(name, f"takes more than {seconds} s to read; split or simplify it")
    return pages


def _read_page(document: pypdfium2.PdfDocument, number: int, pages: _Pages) -> int:
    """Adds a page; its number of characters."""
    pages.rows.append([])
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        pages.broken.append(number)
        return 0
    try:
        shown = characters(page)
        fields = field_values(document, page)
    finally:
        page.close()
    pages.fields[number] = fields
    if not shown.text.strip() and not fields:
        pages.empty.append(number)
    elif shown.characters:
        pages.rows[-1] = rows_of(shown.characters)
        pages.asides[number] = shown.aside
    else:
        pages.texts[number] = shown.text
    if shown.missing:
        pages.missing.append(number)
    return len(shown.text.strip()) + sum(map(len, fields))


def _blocks(pages: _Pages) -> Iterator[Block]:
    kept = without_running(pages.rows)
    style = Style.of(kept)
    for number, rows in enumerate(kept, 1):
        yield PageStart(number)
        if number in pages.texts:
            yield Paragraph(folded(pages.texts[number]).replace("\u00ad", ""))
        elif rows:
            yield from blocks(rows, style)
        yield Paragraph(folded(pages.asides.get(number, "")))
        yield Paragraph("\n".join(pages.fields.get(number, [])))


def _numbered(found: Iterable[Block]) -> Iterator[Block]:
    """Rows of a table that goes on over a page are counted on, where its columns are named again there."""
    above: Table | None = None
    for block in found:
        if isinstance(block, Table):
            if above and block.names and block.names == above.names:
                block = replace(block, first=above.first + len(above.rows))
            above = block
        elif not isinstance(block, PageStart) and not (isinstance(block, Paragraph) and not block.text):
            above = None
        yield block


def _remarks(name: str, data: bytes, pages: _Pages) -> Iterator[Remark]:
    if is_cut(data):
        yield Remark(name, "the end of the file is missing; it was read as far as it goes", whole=False)
    if pages.broken:
        yield Remark(name, f"{listed('page', pages.broken)} cannot be read: damaged", whole=False)
    if pages.missing:
        have = "has" if len(pages.missing) == 1 else "have"
        what = f"{have} text in fonts that cannot be read; recognise it (OCR)"
        yield Remark(name, f"{listed('page', pages.missing)} {what}", whole=False)
    if pages.empty:
        have = "has" if len(pages.empty) == 1 else "have"
        what = "it" if len(pages.empty) == 1 else "them"
        yield Remark(
            name, f"{listed('page', pages.empty)} {have} no text; recognise {what} (OCR)", whole=False
        )


def _title(document: pypdfium2.PdfDocument) -> str:
    title = document.get_metadata_value("Title").strip()
    return "" if title.lower().startswith(_JUNK_TITLES) else title
