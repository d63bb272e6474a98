"""PDF: the text layer, page after page."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator

from pypdf import PdfReader
from pypdf.errors import DependencyError

from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import make_document
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

_JUNK_TITLES = ("microsoft word", "microsoft powerpoint", "untitled", "powerpoint presentation")


def load_pdf(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document]:
    """One document; `pages` is in the metadata. A page of pictures has no text, and nothing is recognised."""
    reader = PdfReader(io.BytesIO(data), strict=False)
    _unlock(name, reader)
    pages = len(reader.pages)
    if pages > limits.max_pages:
        raise UnreadableDocument(name, f"has {pages} pages; at most {limits.max_pages} are read. Split it.")
    text = "\n\n".join(_page_texts(name, reader, limits))
    if not text.strip():
        raise UnreadableDocument(name, "has no text layer; recognise its text (OCR) first")
    yield make_document(name, text, limits, title=_title(reader), metadata={"source": name, "pages": pages})


def _unlock(name: str, reader: PdfReader) -> None:
    if not reader.is_encrypted:
        return
    try:
        opened = reader.decrypt("")
    except DependencyError as error:
        raise UnreadableDocument(name, "is encrypted; save it without encryption") from error
    if not opened:
        raise UnreadableDocument(name, "needs a password; save it without one")


def _page_texts(name: str, reader: PdfReader, limits: LoadLimits) -> Iterator[str]:
    watch = _watch(name, limits.max_pdf_seconds)
    characters = 0
    for page in reader.pages:
        watch()
        text = page.extract_text(visitor_operand_before=watch).strip()
        characters += len(text)
        if characters > limits.max_characters:
            raise UnreadableDocument(name, f"has more than {limits.max_characters} characters; split it")
        if text:
            yield text


def _watch(name: str, seconds: float) -> Callable[..., None]:
    """Called at each drawing operation, since a hostile page can hold millions."""
    start = time.thread_time()

    def watch(*_: object) -> None:
        if time.thread_time() - start > seconds:
            raise UnreadableDocument(name, f"takes more than {seconds:.0f} s to read; split or simplify it")

    return watch


def _title(reader: PdfReader) -> str:
    title = str((reader.metadata and reader.metadata.title) or "").strip()
    return "" if title.lower().startswith(_JUNK_TITLES) else title
