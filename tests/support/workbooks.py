"""Makes small spreadsheets: XLSX files, also with what openpyxl does not write, and OpenDocument ones."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = (
    " ".join(f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "table", "text", "style", "number"))
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def xlsx(
    rows: Sequence[Sequence[Any]] = (),
    edit: Callable[[Any], object] | None = None,
    *,
    change: Mapping[str, Callable[[str], str]] | None = None,
) -> bytes:
    """An XLSX file of rows from A1 on. `edit` changes the workbook, `change` the text of its parts."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    if edit is not None:
        edit(book)
    out = io.BytesIO()
    book.save(out)
    return changed(out.getvalue(), change or {})


def changed(data: bytes, change: Mapping[str, Callable[[str], str]]) -> bytes:
    """The package with the text of some of its parts changed; a part that is not there begins empty."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, change[part](text.decode()) if part in change else text)
        for part in change.keys() - set(old.namelist()):
            new.writestr(part, change[part](""))
    return out.getvalue()


def computed(reference: str, value: str, kind: str = "n") -> Callable[[str], str]:
    """Changes a sheet so that the formula in a cell has a value, as a spreadsheet program stores it."""

    def edit(text: str) -> str:
        cell = rf'<c r="{reference}"([^>]*)><f>(.*?)</f><v\s*/?>(</v>)?</c>'
        return re.sub(cell, rf'<c r="{reference}"\1 t="{kind}"><f>\2</f><v>{escape(value)}</v></c>', text)

    return edit


def ods(tables: str, styles: str = "", *, flat: bool = False) -> bytes:
    """An OpenDocument spreadsheet with these tables, given as XML."""
    body = (
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    )
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    if flat:
        return f'<office:document {_SPACES} office:mimetype="{mimetype}">{body}</office:document>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        package.writestr(
            "content.xml", f"<office:document-content {_SPACES}>{body}</office:document-content>"
        )
    return out.getvalue()


def ods_row(*cells: Any, attributes: str = "") -> str:
    """A row of an OpenDocument table: texts, numbers, or cells given as XML."""
    parts = []
    for cell in cells:
        if isinstance(cell, str) and cell.startswith("<"):
            parts.append(cell)
        elif isinstance(cell, str):
            shown = f"<text:p>{escape(cell)}</text:p>" if cell else ""
            kind = ' office:value-type="string"' if cell else ""
            parts.append(f"<table:table-cell{kind}>{shown}</table:table-cell>")
        else:
            parts.append(
                f'<table:table-cell office:value-type="float" office:value="{cell}">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
    return f"<table:table-row {attributes}>{''.join(parts)}</table:table-row>"


def ods_table(*rows: str, name: str = "Sheet1", attributes: str = "", columns: str = "") -> str:
    """A sheet of an OpenDocument spreadsheet."""
    return f'<table:table table:name="{name}" {attributes}>{columns}{"".join(rows)}</table:table>'
