"""Makes books (EPUB) of chapters."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
_SPACES = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'


def page(body: str, head: str = "<title/>") -> str:
    """A page as XML."""
    return f'<?xml version="1.0"?><html {_SPACES}><head>{head}</head><body>{body}</body></html>'


def contents(*entries: tuple[str, str]) -> str:
    """A table of contents of EPUB 3 of (address, words)."""
    items = "".join(f'<li><a href="{address}">{words}</a></li>' for address, words in entries)
    return page(f'<nav epub:type="toc"><ol>{items}</ol></nav>')


def epub(
    chapters: Mapping[str, str],
    *,
    metadata: str = "<dc:title>Pumps</dc:title>",
    order: tuple[str, ...] = (),
    nav: str = "",
    items: str = "",
    guide: str = "",
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """A book whose spine is `order`, or all chapters."""
    listed = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters
    )
    if nav:
        listed += '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    spine = "".join(f'<itemref idref="{name}"/>' for name in ("nav", *(order or chapters)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr("META-INF/container.xml", _CONTAINER)
        package.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<metadata>{metadata}</metadata><manifest>{listed}{items}</manifest><spine>{spine}</spine>"
            f"<guide>{guide}</guide></package>",
        )
        if nav:
            package.writestr("OEBPS/nav.xhtml", nav)
        for name, body in chapters.items():
            package.writestr(
                f"OEBPS/{name}", body if body.startswith("<") and "<html" in body else page(body)
            )
        for name, data in (parts or {}).items():
            package.writestr(name, data)
    return out.getvalue()
