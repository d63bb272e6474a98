"""A PDF opened by pdfium: its pages, and the characters on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_double
from threading import Lock

import pypdfium2
import pypdfium2.raw as pdfium

from retrieval.corpus.loaders.printed.lines import Character
from retrieval.errors import UnreadableDocument

PDFIUM = Lock()
"""Held while pdfium is called: it is not safe in threads."""

_CATALOG = re.compile(rb"(\d+)\s+(\d+)\s+obj\s*<<(?:(?!endobj).){0,2000}?/Type\s*/Catalog\b", re.DOTALL)
_TAIL = 2048


def is_cut(data: bytes) -> bool:
    """Whether a PDF lacks its end."""
    return b"%%EOF" not in data[-_TAIL:]


@contextmanager
def opened(name: str, data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """The document, closed at the end. Raises UnreadableDocument if it needs a password or is damaged."""
    document = _open(name, data)
    try:
        yield document
    finally:
        document.close()


def _open(name: str, data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableDocument(name, "needs a password; save it without one") from error
        if "security" in str(error).lower():
            raise UnreadableDocument(name, "is encrypted; save it without encryption") from error
    found = _CATALOG.search(data) if is_cut(data) else None
    if found:  # what is left is readable once it has a trailer
        trailer = b"\nendobj\ntrailer<</Root %s %s R>>\nstartxref\n0\n%%%%EOF\n" % (found[1], found[2])
        try:
            return pypdfium2.PdfDocument(data + trailer)
        except pypdfium2.PdfiumError:
            pass
    raise UnreadableDocument(name, "cannot be read as PDF: it is damaged or has no pages")


def characters(page: pypdfium2.PdfPage) -> tuple[list[Character], str]:
    """The characters of a page by position, and its text in pdfium's order.

    The first is empty where position does not give the order: turned text, and text from right to left.
    """
    shown = page.get_textpage()
    try:
        text = shown.get_text_bounded()
        count = shown.count_chars()
        if not text.strip() or page.get_rotation() or _leftward(text):
            return [], text
        found = [one for at in range(count) if (one := _character(shown.raw, at)) is not None]
        turned = sum(1 for at in range(count) if abs(pdfium.FPDFText_GetCharAngle(shown.raw, at)) > 0.1)
        return ([] if turned > count / 10 else found), text
    finally:
        shown.close()


def _leftward(text: str) -> bool:
    letters = sum(1 for one in text if "\u0590" <= one <= "\u08ff")
    return letters > len(text) / 10


def _character(shown: object, at: int) -> Character | None:
    code = pdfium.FPDFText_GetUnicode(shown, at)
    if pdfium.FPDFText_IsGenerated(shown, at) == 1 or not code:
        return None
    box = pdfium.FS_RECTF()  # with the advance: a narrow glyph has space around it
    x, y = c_double(), c_double()
    if not pdfium.FPDFText_GetLooseCharBox(shown, at, byref(box)):
        return None
    pdfium.FPDFText_GetCharOrigin(shown, at, byref(x), byref(y))
    size = pdfium.FPDFText_GetFontSize(shown, at)
    return Character(chr(code), box.left, box.right, y.value, size)
