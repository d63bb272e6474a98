"""PDF: the text layer, page after page, in reading order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2

from retrieval.corpus.blocks import Block, PageStart, Paragraph
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.printed.form import field_values
from retrieval.corpus.loaders.printed.lines import folded, rows_of
from retrieval.corpus.loaders.printed.opened import PDFIUM, characters, is_cut, opened
from retrieval.corpus.loaders.printed.reading import Row, blocks
from retrieval.corpus.loaders.printed.running import without_running
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

_JUNK_TITLES = ("microsoft word", "microsoft powerpoint", "untitled", "powerpoint presentation")


@dataclass(slots=True)
class _Pages:
    """What was read: rows by page, or text where position does not give the order, by page number."""

    title: str = ""
    count: int = 0
    rows: list[list[Row]] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    fields: dict[int, list[str]] = field(default_factory=dict)
    empty: list[int] = field(default_factory=list)
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
        write(_blocks(pages)),
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
        found, text = characters(page)
        fields = field_values(document, page)
    finally:
        page.close()
    pages.fields[number] = fields
    if not text.strip() and not fields:
        pages.empty.append(number)
    elif found:
        pages.rows[-1] = rows_of(found)
    else:
        pages.texts[number] = text
    return len(text.strip()) + sum(map(len, fields))


def _blocks(pages: _Pages) -> Iterator[Block]:
    for number, rows in enumerate(without_running(pages.rows), 1):
        yield PageStart(number)
        if number in pages.texts:
            yield Paragraph(folded(pages.texts[number]).replace("\u00ad", ""))
        elif rows:
            yield from blocks(rows)
        yield Paragraph("\n".join(pages.fields.get(number, [])))


def _remarks(name: str, data: bytes, pages: _Pages) -> Iterator[Remark]:
    if is_cut(data):
        yield Remark(name, "the end of the file is missing; it was read as far as it goes", whole=False)
    if pages.broken:
        yield Remark(name, f"{_named(pages.broken)} cannot be read: damaged", whole=False)
    if pages.empty:
        have = "has" if len(pages.empty) == 1 else "have"
        what = "it" if len(pages.empty) == 1 else "them"
        yield Remark(name, f"{_named(pages.empty)} {have} no text; recognise {what} (OCR)", whole=False)


def _named(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = (f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return f"{'page' if len(numbers) == 1 else 'pages'} {', '.join(shown)}"


def _title(document: pypdfium2.PdfDocument) -> str:
    title = document.get_metadata_value("Title").strip()
    return "" if title.lower().startswith(_JUNK_TITLES) else title
