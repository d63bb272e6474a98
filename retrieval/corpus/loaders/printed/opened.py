"""A PDF opened by pdfium: its pages, and the characters on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_double
from itertools import pairwise
from math import hypot
from threading import Lock
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from retrieval.corpus.loaders.printed.lines import Character
from retrieval.errors import UnreadableDocument

PDFIUM = Lock()
"""Held while pdfium is called: it is not safe in threads."""

_CATALOG = re.compile(rb"(\d+)\s+(\d+)\s+obj\s*<<(?:(?!endobj).){0,2000}?/Type\s*/Catalog\b", re.DOTALL)
_TAIL = 2048
_OBJECTS = 2  # that draw text, for each character that is found


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


class Shown(NamedTuple):
    """What a page shows: characters by position, text in pdfium's order, turned text, and what is missing.

    There are no characters where position does not give the order: turned text, and text from right to left.
    `missing` says that pdfium finds no characters in much of what draws text.
    """

    characters: list[Character]
    text: str
    aside: str = ""
    missing: bool = False


def characters(page: pypdfium2.PdfPage) -> Shown:
    """The characters of a page."""
    shown = page.get_textpage()
    try:
        text = shown.get_text_bounded()
        if not text.strip() or page.get_rotation() or _leftward(text):
            return Shown([], text)
        found, turned = _characters(shown.raw, shown.count_chars())
        missing = _missing(page, len(text.strip()))
        if _vertical(found):
            return Shown([_laid(one) for one in found], text, missing=missing)
        if len(turned) > len(found) / 9:
            return Shown([], text, missing=missing)
        return Shown(found, text, _drawn(turned), missing)
    finally:
        shown.close()


def _leftward(text: str) -> bool:
    letters = sum(1 for one in text if "\u0590" <= one <= "\u08ff")
    return letters > len(text) / 10


def _laid(one: Character) -> Character:
    """A character of a vertical line as one of a row, so that lines are read from right to left."""
    return one._replace(left=-one.baseline, right=one.size - one.baseline, baseline=one.left)


def _vertical(found: list[Character]) -> bool:
    """Whether most characters stand below the one drawn before, as in Japanese from top to bottom."""
    below = sum(
        abs(one.left - last.left) < 0.3 * one.size and 0.5 < (last.baseline - one.baseline) / one.size < 2
        for last, one in pairwise(found)
    )
    return below > len(found) / 2


def _missing(page: pypdfium2.PdfPage, letters: int) -> bool:
    """Whether there are more objects that draw text than characters, as with fonts that cannot be read."""
    if pdfium.FPDFPage_CountObjects(page.raw) <= _OBJECTS * max(letters, 10):
        return False
    drawing = sum(1 for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=1))
    return drawing > _OBJECTS * max(letters, 10)


def _drawn(turned: list[Character]) -> str:
    return "".join(f"{' ' * one.spaced}{one.text}" for one in turned).strip()


def _characters(shown: object, count: int) -> tuple[list[Character], list[Character]]:
    """Upright characters and turned ones, in the order in which they are drawn."""
    box, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    x, y = c_double(), c_double()
    found: list[Character] = []
    turned: list[Character] = []
    spaced = False
    for at in range(count):
        code = pdfium.FPDFText_GetUnicode(shown, at)
        text = chr(code) if code else ""
        if pdfium.FPDFText_IsGenerated(shown, at) == 1 or not text.strip():
            spaced = spaced or text.isspace()
            continue
        # The box has the advance: a narrow glyph has space around it.
        if not pdfium.FPDFText_GetLooseCharBox(shown, at, byref(box)):
            continue
        pdfium.FPDFText_GetCharOrigin(shown, at, byref(x), byref(y))
        size = pdfium.FPDFText_GetFontSize(shown, at)
        place = found
        if pdfium.FPDFText_GetMatrix(shown, at, byref(matrix)):
            size *= hypot(matrix.c, matrix.d)
            place = turned if abs(matrix.b) > 0.1 * abs(matrix.a) else found
        if size > 0:
            place.append(Character(text, box.left, box.right, y.value, size, len(found), spaced))
        spaced = False
    return found, turned
