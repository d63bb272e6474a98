"""Values of a form's fields, which are not part of a page's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ctypes import POINTER, c_ushort, cast, create_string_buffer
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

_UNSET = ("", "Off")


def field_values(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[str]:
    """`Name: value` for each field of a page that has a value, in the order of the file."""
    if document.formenv is None:
        return []
    found = (
        f"{name}: {value}"
        for name, value in _fields(document.formenv.raw, page.raw)
        if value.strip() not in _UNSET
    )
    return list(dict.fromkeys(found))  # a field may be shown twice


def _fields(form: Any, page: Any) -> Iterator[tuple[str, str]]:
    for at in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        try:
            kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
            if kind > pdfium.FPDF_FORMFIELD_PUSHBUTTON:
                yield (
                    _text(pdfium.FPDFAnnot_GetFormFieldName, form, annotation),
                    _text(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation),
                )
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _text(call: Callable[..., int], form: Any, annotation: Any) -> str:
    """What a function of pdfium writes: UTF-16 with two zero bytes at its end, its length in bytes."""
    length = call(form, annotation, None, 0)
    if length <= 2:
        return ""
    buffer = create_string_buffer(length)
    call(form, annotation, cast(buffer, POINTER(c_ushort)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")
